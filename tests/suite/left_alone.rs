//! A program that stops half way, and the next one on the same chip: it may come at any time, and signs.
//!
//! In virtual time, so that many moments are tried and each run is the same but for the chip's own ±20 %.

use atecc::{
    Device, PublicKey, Slot,
    i2c::{I2cTransport, TRUST_AND_GO_ADDRESS},
    packet::Packet,
};
use atecc_emulator::{Bus, Chip, Clock, Eeprom, Pace, provision};
use embedded_hal::{delay::DelayNs, i2c::I2c};

const DIGEST: [u8; 32] = [0x5a; 32];
/// No program is waited for longer than that: the watchdog has put the chip to sleep, from 1.3 s on.
const LATEST_US: u32 = 1_400_000;

/// What a program does on the bus.
#[derive(Clone, Copy, Debug)]
enum Step {
    Wake,
    Send(u8, u8, &'static [u8]),
    Read(usize),
    Microseconds(u32),
}

/// A signature, as the driver makes it.
const SIGNATURE: [Step; 12] = [
    Step::Wake,
    Step::Microseconds(1_500),
    Step::Read(4),
    Step::Send(0x1b, 0x00, &[]),
    Step::Microseconds(15_000),
    Step::Read(35),
    Step::Send(0x16, 0x43, &DIGEST),
    Step::Microseconds(2_000),
    Step::Read(4),
    Step::Send(0x41, 0xa0, &[]),
    Step::Microseconds(80_000),
    Step::Read(67),
];

/// All self tests, which take longer than any other command.
const SELF_TEST: [Step; 3] = [Step::Wake, Step::Microseconds(1_500), Step::Send(0x77, 0x3d, &[])];

/// A new chip of `pace`, on which somebody took these steps and stopped `later` microseconds ago.
fn left_alone(eeprom: &Eeprom, pace: Pace, steps: &[Step], later: u32) -> (Bus, Clock) {
    let chip = Chip::new(eeprom.clone(), pace);
    let mut bus = Bus::new(chip, Clock::new_virtual(), Bus::STANDARD_HERTZ);
    let mut clock = bus.clock();
    for step in steps {
        // A busy chip does not answer, and nobody the wake pulse.
        let _ = match *step {
            Step::Wake => bus.write(0x00, &[0x00]),
            Step::Send(opcode, mode, data) => {
                let packet = Packet::new(opcode, mode, 0, &[data], 64);
                bus.write(TRUST_AND_GO_ADDRESS, &[&[0x03], packet.as_bytes()].concat())
            }
            Step::Read(length) => bus.read(TRUST_AND_GO_ADDRESS, &mut vec![0; length]),
            Step::Microseconds(time) => {
                clock.delay_us(time);
                Ok(())
            }
        };
    }
    clock.delay_us(later);
    (bus, clock)
}

#[track_caller]
fn next_one_signs(eeprom: &Eeprom, key: &PublicKey, pace: Pace, steps: &[Step], later: u32) {
    let (bus, clock) = left_alone(eeprom, pace, steps, later);
    let mut chip = Device::new(I2cTransport::new(bus, clock, TRUST_AND_GO_ADDRESS));
    let last = steps.last().unwrap();
    let signature = chip
        .sign(Slot::PRIMARY_KEY, &DIGEST)
        .unwrap_or_else(|error| panic!("{later} µs behind {last:?} of a chip at {pace:?}: {error}"));
    assert!(key.verify(&DIGEST, &signature), "{later} µs behind {last:?}");
}

/// A new chip, and the key that it signs with.
fn chip() -> (Eeprom, PublicKey) {
    let eeprom = provision::tng_tls().unwrap();
    let (bus, clock) = left_alone(&eeprom, Pace::Instant, &[], 0);
    let mut chip = Device::new(I2cTransport::new(bus, clock, TRUST_AND_GO_ADDRESS));
    let key = chip.public_key(Slot::PRIMARY_KEY).unwrap();
    (eeprom, key)
}

#[test]
fn after_a_signature_that_stopped_at_any_step_the_next_one_signs_at_any_time() {
    let (eeprom, key) = chip();
    for steps in 1..=SIGNATURE.len() {
        // Odd times: now in the middle of a command, now in that of a pause.
        for later in (0..LATEST_US).step_by(13_337) {
            next_one_signs(&eeprom, &key, Pace::Typical, &SIGNATURE[..steps], later);
        }
    }
}

/// A quarter of a second: longer than all pauses of the driver together but the last.
#[test]
fn a_chip_that_was_left_in_its_longest_command_signs_for_the_next_one() {
    let (eeprom, key) = chip();
    for pace in [Pace::Typical, Pace::Longest] {
        for later in (0..LATEST_US).step_by(13_337) {
            next_one_signs(&eeprom, &key, pace, &SELF_TEST, later);
        }
    }
}
