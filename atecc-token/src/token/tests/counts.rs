//! What it costs to get to a signature.

use super::*;

/// Wakes and commands so far.
fn cost(token: &Token) -> (u64, u64) {
    let bus = token.statistics().bus;
    (bus.wakes, bus.commands)
}

#[test]
fn a_first_signature_takes_three_wakes_and_six_commands() {
    let token = TestChip::new(Personality::TngTls3).open();
    assert_eq!(cost(&token), (1, 1));
    let pairs = token.key_pairs().unwrap();
    assert_eq!(cost(&token), (2, 3));
    let digest = [0x44; 32];
    assert!(keys(&pairs)[0].1.verify(&digest, &token.sign(slot(0), &digest).unwrap()));
    assert_eq!(cost(&token), (3, 6));
    // Nothing is read twice.
    token.key_pairs().unwrap();
    token.sign(slot(0), &digest).unwrap();
    assert_eq!(cost(&token), (4, 9));
}

#[test]
fn another_slot_costs_nothing_for_the_first() {
    let token = TestChip::new(Personality::TngTls3).open();
    token.sign(slot(2), &[0x44; 32]).unwrap();
    assert_eq!(cost(&token), (3, 1 + 1 + 3));
}

#[test]
fn the_certificates_and_the_rest_of_the_zone_take_one_wake() {
    let token = TestChip::new(Personality::TngTls3).open();
    token.key_pairs().unwrap();
    let before = cost(&token);
    token.objects().unwrap();
    token.configuration().unwrap();
    // Three slots of 72 bytes, OTP, EUI-48, two blocks of the zone.
    assert_eq!(cost(&token), (before.0 + 1, before.1 + 3 * 4 + 2 + 2));
    token.objects().unwrap();
    assert_eq!(cost(&token).0, before.0 + 1);
}

/// What `atecc info` and `atecc genkey` do: open, look at the configuration as it is now, and use a key.
#[test]
fn a_configuration_that_was_read_is_not_read_for_a_key_again() {
    let token = TestChip::new(Personality::TngTls3).open();
    let configuration = token.read_configuration().unwrap();
    assert_eq!(cost(&token), (2, 1 + 4));
    token.public_key(slot(0)).unwrap();
    assert_eq!(cost(&token), (3, 1 + 4 + 1));
    assert_eq!(token.configuration().unwrap(), configuration);
    token.primary_key().unwrap();
    assert_eq!(cost(&token), (3, 1 + 4 + 1));
}
