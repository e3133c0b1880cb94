//! The same faults around commands that are sent once: they run once or not at all, an answer is right, and after an
//! error the next call works.

use std::time::Duration;

use atecc::{
    Slot,
    irreversible::{IncrementsCounter, Irreversible, OverwritesKey},
    zone::CounterId,
};
use atecc_emulator::{Pace, PowerCut};
use embedded_hal::delay::DelayNs;

use super::{
    DIGEST,
    adapter::{Adapter, Fault, FaultyBus, Other},
    bus, device,
};

/// Sleep, wake, its answer, command and answer, sleep; and as many looks at a busy chip.
const TRANSFERS: u32 = 6 + 8;

/// Increments a counter with this fault. Gives whether it said that it did.
fn increment(bus: FaultyBus, case: &str) -> bool {
    let mut clock = bus.bus.clock();
    let mut chip = device(bus, clock.clone());
    let consent = || Irreversible::i_understand(IncrementsCounter);
    let said = chip.increment_counter(CounterId::Counter1, consent());
    // Whatever was to happen has happened.
    clock.delay_ms(50);
    let count = chip.counter(CounterId::Counter1).unwrap_or_else(|error| panic!("after {case}: {error}"));
    match said {
        Ok(value) => assert_eq!((value, count), (1, 1), "{case}"),
        Err(_) => assert!(count <= 1, "{case}: counted {count}"),
    }
    let next = chip.increment_counter(CounterId::Counter1, consent());
    assert_eq!(next.unwrap_or_else(|error| panic!("after {case}: {error}")), count + 1, "after {case}");
    said.is_ok()
}

fn faults() -> impl Iterator<Item = Fault> {
    (0..11)
        .flat_map(|at| {
            [
                Fault::RefusedAt(at),
                Fault::ShortWrite(at),
                Fault::ShortRead(at, 0x00),
                Fault::ShortRead(at, 0xff),
                Fault::BitFlip(at, 2),
                Fault::BitFlip(at, 7),
            ]
        })
        .chain([Fault::NoAcknowledge, Fault::LostRead, Fault::PowerLoss, Fault::Stuck(3), Fault::Stuck(12)])
        .chain([Other::Wake, Other::Sleep, Other::Idle, Other::Read].map(Fault::Other))
}

#[test]
fn a_counter_never_moves_twice() {
    let (mut done, mut failed) = (0, 0);
    for adapter in Adapter::ALL {
        for fault in faults() {
            for countdown in 0..TRANSFERS {
                let case = format!("{fault:?} at transfer {countdown}, the adapter {adapter:?}");
                let bus = bus(Pace::Seeded(3));
                if increment(FaultyBus { bus, adapter, fault, countdown }, &case) {
                    done += 1;
                } else {
                    failed += 1;
                }
            }
        }
    }
    // Most faults meet a look at a busy chip, or an answer that can be read again.
    assert!(failed > 0 && done > 2 * failed, "{done} done, {failed} failed");
}

#[test]
fn a_counter_moves_once_or_not_at_all_when_the_power_goes() {
    for bytes in 0..300 {
        let mut bus = bus(Pace::Seeded(u64::from(bytes)));
        let moment = bus.clock().now() + Duration::from_micros(90) * bytes;
        bus.chip_mut().cut_power(PowerCut::At(moment));
        let fault = Fault::Stuck(0);
        let bus = FaultyBus { bus, adapter: Adapter::Tells, fault, countdown: u32::MAX };
        increment(bus, &format!("the power goes {bytes} bytes from the start"));
    }
}

/// Adapters that show a busy chip as zeros or ones: what is sent once is answered, however long it takes.
#[test]
fn every_adapter_gets_the_answer_to_what_is_sent_once() {
    for adapter in Adapter::ALL {
        for seed in 0..20 {
            let bus = bus(Pace::Seeded(seed));
            let clock = bus.clock();
            let fault = Fault::Stuck(0);
            let mut chip = device(FaultyBus { bus, adapter, fault, countdown: u32::MAX }, clock);
            let slot = Slot::new(2).unwrap();
            let key = chip.generate_key(slot, Irreversible::i_understand(OverwritesKey)).unwrap();
            let signature = chip.sign(slot, &DIGEST).unwrap();
            assert!(key.verify(&DIGEST, &signature), "{adapter:?}, seed {seed}");
            assert_eq!(chip.transport().statistics().retries, 0, "{adapter:?}, seed {seed}");
        }
    }
}

/// An answer that was damaged on its way is there still: a key that was made is not lost.
#[test]
fn a_new_key_survives_damage_to_its_answer_at_any_byte() {
    for at in 0..67 {
        for fault in
            [Fault::BitFlip(at, 0), Fault::ShortRead(at.max(1), 0x00), Fault::ShortRead(at.max(1), 0xff)]
        {
            let bus = bus(Pace::Instant);
            let clock = bus.clock();
            // Sleep, wake, its answer, GenKey, and here its answer.
            let mut chip = device(FaultyBus { bus, adapter: Adapter::Tells, fault, countdown: 4 }, clock);
            let slot = Slot::new(2).unwrap();
            let made = chip.generate_key(slot, Irreversible::i_understand(OverwritesKey));
            let key = made.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
            assert_eq!(chip.public_key(slot).unwrap(), key, "{fault:?}");
        }
    }
}
