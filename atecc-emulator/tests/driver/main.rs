//! The driver on the emulated bus, in virtual time: what a signature costs, and what faults do to it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod adapter;
mod faults;
mod moments;
mod once;
mod others;

use std::sync::LazyLock;

use atecc::{
    Device, PublicKey, Slot,
    i2c::{I2cTransport, TRUST_AND_GO_ADDRESS},
};
use atecc_emulator::{Bus, Chip, Clock, Eeprom, Pace, provision};
use embedded_hal::i2c::I2c;

const DIGEST: [u8; 32] = [0x6b; 32];

/// The memory of the chip that all tests begin with, and the public key of its slot 0.
static CHIP: LazyLock<(Eeprom, PublicKey)> = LazyLock::new(|| {
    let eeprom = provision::tng_tls().unwrap();
    let bus = Bus::new(Chip::new(eeprom.clone(), Pace::Instant), Clock::new_virtual(), Bus::STANDARD_HERTZ);
    let clock = bus.clock();
    let key = device(bus, clock).public_key(Slot::PRIMARY_KEY).unwrap();
    (eeprom, key)
});

fn bus(pace: Pace) -> Bus {
    Bus::new(Chip::new(CHIP.0.clone(), pace), Clock::new_virtual(), Bus::STANDARD_HERTZ)
}

/// The public key of slot 0.
fn key() -> PublicKey {
    CHIP.1
}

fn device<B: I2c>(bus: B, clock: Clock) -> Device<I2cTransport<B, Clock>> {
    Device::new(I2cTransport::new(bus, clock, TRUST_AND_GO_ADDRESS))
}

#[test]
fn a_signature_verifies_and_is_one_wake() {
    let bus = bus(Pace::Typical);
    let clock = bus.clock();
    let mut chip = device(bus, clock);
    let before = chip.transport().statistics();
    let signature = chip.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    let spent = chip.transport().statistics() - before;
    assert!(key().verify(&DIGEST, &signature));
    assert_eq!((spent.wakes, spent.commands, spent.retries), (1, 3, 0));
    assert_eq!(spent.transactions - spent.polls, 9);
}

#[test]
fn the_chip_verifies_its_own_signature_and_no_other() {
    let bus = bus(Pace::Instant);
    let clock = bus.clock();
    let mut chip = device(bus, clock);
    let signature = chip.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    assert!(chip.verify(&key(), &DIGEST, &signature).unwrap());
    assert!(!chip.verify(&key(), &[0x6c; 32], &signature).unwrap());
}

#[test]
fn the_wake_pulse_is_too_short_on_a_fast_bus() {
    let chip = Chip::new(CHIP.0.clone(), Pace::Instant);
    let bus = Bus::new(chip, Clock::new_virtual(), 400_000);
    let clock = bus.clock();
    let error = device(bus, clock).revision().unwrap_err().to_string();
    assert!(error.contains("100 kHz"), "{error}");
}
