//! Another program without a lock does something before each transfer of a signature.

use atecc::Slot;
use atecc_emulator::Pace;

use super::{
    DIGEST,
    adapter::{Adapter, Fault, FaultyBus, Other},
    bus, device, key,
};

/// Transfers of a signature with looks at a busy chip, on the slowest chip.
const TRANSFERS: u32 = 80;

const INFO: &[u8] = &[0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5d];
const RANDOM: &[u8] = &[0x07, 0x1b, 0x00, 0x00, 0x00, 0x24, 0xcd];
const SIGN: &[u8] = &[0x07, 0x41, 0xa0, 0x00, 0x00, 0x7b, 0x85];
/// Nonce, fixed, into the Message Digest Buffer: the digest that the other program wants to have signed.
const NONCE: &[u8] = &[
    0x27, 0x16, 0x43, 0x00, 0x00, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb,
    0xcc, 0xdd, 0xee, 0xff, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc,
    0xdd, 0xee, 0xff, 0xdc, 0x34,
];

/// What came of a signature with `other` before transfer `countdown`.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Right,
    /// A signature, but not over our digest.
    Foreign,
    Refused,
}

fn sign(other: Other, countdown: u32, pace: Pace) -> Outcome {
    let bus = bus(pace);
    let clock = bus.clock();
    let fault = Fault::Other(other);
    let mut chip = device(FaultyBus { bus, adapter: Adapter::Tells, fault, countdown }, clock);
    let outcome = match chip.sign(Slot::PRIMARY_KEY, &DIGEST) {
        Ok(signature) if key().verify(&DIGEST, &signature) => Outcome::Right,
        Ok(signature) => {
            // Nothing else than what the other program asked for, with a good nonce.
            let foreign = NONCE[5..37].try_into().unwrap();
            assert!(key().verify(&foreign, &signature), "{other:?} at transfer {countdown}");
            Outcome::Foreign
        }
        Err(_) => Outcome::Refused,
    };
    let next = chip.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    assert!(key().verify(&DIGEST, &next), "after {other:?} at transfer {countdown}");
    outcome
}

fn outcomes(other: Other) -> Vec<Outcome> {
    let instant = (0..9).map(|countdown| sign(other, countdown, Pace::Instant));
    instant.chain((0..TRANSFERS).map(|countdown| sign(other, countdown, Pace::Seeded(1)))).collect()
}

#[test]
fn who_only_wakes_reads_or_puts_to_sleep_costs_time_only() {
    for other in [Other::Wake, Other::Sleep, Other::Idle, Other::Read] {
        let outcomes = outcomes(other);
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Right), "{other:?}: {outcomes:?}");
    }
}

/// A command of somebody else empties the Message Digest Buffer, so that Sign is refused if it gets between Nonce and
/// Sign and is done by then; and a refusal of theirs may be read for ours. Anything else is got over, as a whole
/// transaction of theirs is.
#[test]
fn commands_of_others_never_make_a_wrong_signature() {
    let mut refused = 0;
    for other in
        [INFO, RANDOM, SIGN].into_iter().flat_map(|group| [Other::Command(group), Other::Transaction(group)])
    {
        let outcomes = outcomes(other);
        assert!(!outcomes.contains(&Outcome::Foreign), "{other:?}: {outcomes:?}");
        let count = outcomes.iter().filter(|outcome| **outcome == Outcome::Refused).count();
        println!("{other:?}: {count} refused");
        assert!(count <= 4, "{other:?}: {outcomes:?}");
        refused += count;
    }
    assert!(refused > 0);
}

/// Who loads a digest between our Nonce and our Sign gets it signed. No driver can know; the lock between processes
/// keeps others out, and whoever checks the signature against the public key, as a token does, notices.
#[test]
fn a_digest_that_another_program_loads_is_noticed_by_verifying() {
    let outcomes = outcomes(Other::Command(NONCE));
    let foreign = outcomes.iter().filter(|outcome| **outcome == Outcome::Foreign).count();
    assert!((1..=40).contains(&foreign), "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| *outcome != Outcome::Refused), "{outcomes:?}");
}
