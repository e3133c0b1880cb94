//! One fault at each byte of each transfer of a signature.

use atecc::Slot;
use atecc_emulator::Pace;

use super::{
    DIGEST,
    adapter::{Adapter, Fault, FaultyBus},
    bus, device, key,
};

/// Wake, its answer, three times command and answer, sleep.
const TRANSFERS: u32 = 9;
/// The Nonce command with its word address.
const LONGEST_WRITE: usize = 1 + 39;
/// The signature.
const LONGEST_READ: usize = 67;

/// A signature with this fault, and one after it. Gives the error of the first, if that was the outcome.
fn sign(adapter: Adapter, fault: Fault, countdown: u32, pace: Pace) -> Option<String> {
    let bus = bus(pace);
    let clock = bus.clock();
    let mut chip = device(FaultyBus { bus, adapter, fault, countdown }, clock);
    let case = format!("{fault:?} at transfer {countdown}, the adapter {adapter:?}");
    let error = match chip.sign(Slot::PRIMARY_KEY, &DIGEST) {
        Ok(signature) => {
            assert!(key().verify(&DIGEST, &signature), "{case}");
            None
        }
        Err(error) => Some(format!("{case}: {error}")),
    };
    let next = chip.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap_or_else(|error| panic!("after {case}: {error}"));
    assert!(key().verify(&DIGEST, &next), "after {case}");
    error
}

/// All of `faults` at all transfers: a single fault is something that the driver gets over.
fn get_over(adapter: Adapter, faults: impl Iterator<Item = Fault>) {
    let mut errors = Vec::new();
    for fault in faults {
        errors.extend((0..TRANSFERS).filter_map(|countdown| sign(adapter, fault, countdown, Pace::Instant)));
    }
    assert_eq!(errors, [""; 0]);
}

#[test]
fn a_write_that_ends_at_any_byte_is_got_over_however_the_adapter_tells_it() {
    for adapter in Adapter::ALL {
        get_over(adapter, (0..LONGEST_WRITE).flat_map(|at| [Fault::RefusedAt(at), Fault::ShortWrite(at)]));
    }
}

#[test]
fn a_read_that_ends_at_any_byte_is_got_over() {
    let faults = |fill| (0..LONGEST_READ).map(move |at| Fault::ShortRead(at, fill));
    get_over(Adapter::Tells, faults(0xff));
    get_over(Adapter::Tells, faults(0x00));
}

#[test]
fn a_flipped_bit_in_any_byte_is_got_over() {
    get_over(
        Adapter::Tells,
        (0..LONGEST_READ).flat_map(|at| [2, at as u8 % 8].map(|bit| Fault::BitFlip(at, bit))),
    );
}

#[test]
fn an_address_that_is_not_acknowledged_a_lost_answer_and_a_loss_of_power_are_got_over() {
    for adapter in Adapter::ALL {
        get_over(adapter, [Fault::NoAcknowledge, Fault::LostRead, Fault::PowerLoss].into_iter());
    }
}

/// The same on a chip that takes its time: the fault also meets looks at a busy chip.
#[test]
fn faults_between_the_looks_at_a_busy_chip_are_got_over() {
    for adapter in Adapter::ALL {
        for fault in [Fault::NoAcknowledge, Fault::LostRead, Fault::PowerLoss] {
            for countdown in 0..60 {
                assert_eq!(sign(adapter, fault, countdown, Pace::Seeded(1)), None);
            }
        }
    }
}

/// A bus that is stuck for a moment, for as long as a transaction, and for longer than the driver's patience.
#[test]
fn a_stuck_bus_is_an_error_at_most_and_the_next_signature_works() {
    for transfers in [2, 40, 400] {
        for countdown in 0..TRANSFERS {
            let bus = bus(Pace::Instant);
            let clock = bus.clock();
            let fault = Fault::Stuck(transfers);
            let mut chip = device(FaultyBus { bus, adapter: Adapter::Tells, fault, countdown }, clock);
            let patience = 100;
            let mut attempts = (0..patience).map(|_| chip.sign(Slot::PRIMARY_KEY, &DIGEST));
            let signature = attempts.find_map(Result::ok).unwrap();
            assert!(key().verify(&DIGEST, &signature), "stuck for {transfers} transfers at {countdown}");
        }
    }
}
