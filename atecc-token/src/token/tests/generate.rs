//! New keys, and what protects the old ones.

use super::*;

fn overwrite(number: u8) -> String {
    format!("[[slot]]\nnumber = {number}\noverwrite = true\n")
}

#[test]
fn without_a_rule_no_key_is_generated_and_the_old_one_stays() {
    let chip = TestChip::new(Personality::TngTls3);
    let serial = chip.open().serial_number().to_string();
    let other = "0123000000000000EE";
    for rules in [
        String::new(),
        "[[slot]]\nnumber = 2\n".into(),
        overwrite(3),
        overwrite(2) + &format!("serial = \"{other}\"\n"),
        overwrite(2) + "device = \"i2c:/dev/i2c-1\"\n",
    ] {
        let before = std::fs::read(chip.path()).unwrap();
        let token = chip.open_with(&rules);
        let key = token.public_key(slot(2)).unwrap();
        let error = token.generate_key_pair(slot(2)).unwrap_err();
        assert!(matches!(error, Error::NotListed { .. }), "{rules}: {error}");
        assert!(
            error.to_string().contains("overwrite = true") && error.to_string().contains(&serial),
            "{error}"
        );
        assert_eq!(token.public_key(slot(2)).unwrap(), key);
        drop(token);
        assert!(std::fs::read(chip.path()).unwrap() == before, "{rules}");
    }
}

#[test]
fn a_listed_slot_gets_a_new_key_that_signs() {
    let chip = TestChip::new(Personality::TngTls3);
    let token = chip.open_with(&overwrite(2));
    let before = keys(&token.key_pairs().unwrap());
    let made = token.generate_key_pair(slot(2)).unwrap();
    assert_ne!(made, before[1].1);
    let after = token.key_pairs().unwrap();
    assert_eq!(keys(&after), [before[0], (2, made)]);
    let ObjectKind::PrivateKey { may, .. } = &after[2].kind else { panic!() };
    assert!(may.overwrite);
    let digest = [0x33; 32];
    assert!(made.verify(&digest, &token.sign(slot(2), &digest).unwrap()));
    drop(token);
    assert_eq!(chip.open().public_key(slot(2)).unwrap(), made);
}

#[test]
fn what_the_chip_forbids_no_rule_allows() {
    let chip = TestChip::new(Personality::TngTls3);
    let rules = [0, 1, 8].map(overwrite).concat();
    let before = std::fs::read(chip.path()).unwrap();
    let token = chip.open_with(&rules);
    assert!(matches!(token.generate_key_pair(slot(0)), Err(Error::PermanentKey { .. })));
    assert!(matches!(token.generate_key_pair(slot(1)), Err(Error::NoGenKey { .. })));
    assert!(matches!(token.generate_key_pair(slot(8)), Err(Error::NoGenKey { .. })));
    drop(token);
    assert!(std::fs::read(chip.path()).unwrap() == before);
}

#[test]
fn a_locked_slot_keeps_its_key() {
    use atecc::irreversible::{Irreversible, LocksSlot};
    let chip = TestChip::new(Personality::TngTls3);
    let token = chip.open_with(&overwrite(2));
    let key = token.public_key(slot(2)).unwrap();
    token.lock_slot(slot(2), Irreversible::i_understand(LocksSlot)).unwrap();
    assert!(matches!(token.generate_key_pair(slot(2)), Err(Error::NoGenKey { .. })));
    assert_eq!(token.public_key(slot(2)).unwrap(), key);
}
