//! The chip falls asleep or loses its power at each byte time of a signature.

use std::time::Duration;

use atecc::Slot;
use atecc_emulator::{Bus, Pace, PowerCut, Watchdog};
use embedded_hal::{delay::DelayNs, i2c::I2c};

use super::{DIGEST, bus, device, key};

/// One byte with its acknowledgement.
const BYTE: Duration = Duration::from_micros(90);
/// One chip, the same in each run.
const PACE: Pace = Pace::Seeded(1);

/// How many bytes fit into the time of its signature.
fn byte_times() -> u32 {
    let bus = bus(PACE);
    let clock = bus.clock();
    device(bus, clock.clone()).sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    u32::try_from(clock.now().as_nanos() / BYTE.as_nanos()).unwrap()
}

/// Signs on `bus`, which has been prepared for `case`, and then once more.
fn sign_twice(bus: Bus, case: &str) {
    let clock = bus.clock();
    let mut chip = device(bus, clock);
    for _ in 0..2 {
        let signature =
            chip.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert!(key().verify(&DIGEST, &signature), "{case}");
    }
}

/// Another program woke the chip, so that its watchdog has run for a while: it expires before each byte.
#[test]
fn the_watchdog_may_expire_before_any_byte() {
    for bytes in 0..=byte_times() {
        let mut bus = bus(PACE);
        bus.chip_mut().set_watchdog(Watchdog::Shortest);
        let _ = bus.write(0x00, &[0x00]);
        bus.clock().delay_us(700_000 - u32::try_from((BYTE * bytes).as_micros()).unwrap());
        sign_twice(bus, &format!("the watchdog expires {bytes} bytes from the start"));
    }
}

#[test]
fn the_power_may_go_before_any_byte() {
    for bytes in 0..=byte_times() {
        let mut bus = bus(PACE);
        let moment = bus.clock().now() + BYTE * bytes;
        bus.chip_mut().cut_power(PowerCut::At(moment));
        sign_twice(bus, &format!("the power goes {bytes} bytes from the start"));
    }
}
