//! The driver on the emulated bus, in virtual time: what a signature costs, and what faults do to it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use atecc::{
    Device, Slot,
    i2c::{I2cTransport, TRUST_AND_GO_ADDRESS},
};
use atecc_emulator::{Bus, BusError, Chip, Clock, Pace, provision};
use embedded_hal::i2c::{ErrorType, I2c, Operation};

const DIGEST: [u8; 32] = [0x6b; 32];

fn bus(pace: Pace) -> Bus {
    Bus::new(Chip::new(provision::tng_tls().unwrap(), pace), Clock::new_virtual(), Bus::STANDARD_HERTZ)
}

fn device<B: I2c>(bus: B, clock: Clock) -> Device<I2cTransport<B, Clock>> {
    Device::new(I2cTransport::new(bus, clock, TRUST_AND_GO_ADDRESS))
}

#[test]
fn a_signature_verifies_and_is_one_wake() {
    let bus = bus(Pace::Typical);
    let clock = bus.clock();
    let mut chip = device(bus, clock);
    let key = chip.public_key(Slot::PRIMARY_KEY).unwrap();
    let before = chip.transport().statistics();
    let signature = chip.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    let spent = chip.transport().statistics() - before;
    assert!(key.verify(&DIGEST, &signature));
    assert_eq!((spent.wakes, spent.commands, spent.retries), (1, 3, 0));
    assert_eq!(spent.transactions - spent.polls, 9);
}

#[test]
fn the_chip_verifies_its_own_signature_and_no_other() {
    let bus = bus(Pace::Instant);
    let clock = bus.clock();
    let mut chip = device(bus, clock);
    let key = chip.public_key(Slot::PRIMARY_KEY).unwrap();
    let signature = chip.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    assert!(chip.verify(&key, &DIGEST, &signature).unwrap());
    assert!(!chip.verify(&key, &[0x6c; 32], &signature).unwrap());
}

#[test]
fn the_wake_pulse_is_too_short_on_a_fast_bus() {
    let chip = Chip::new(provision::tng_tls().unwrap(), Pace::Instant);
    let bus = Bus::new(chip, Clock::new_virtual(), 400_000);
    let clock = bus.clock();
    let error = device(bus, clock).revision().unwrap_err().to_string();
    assert!(error.contains("100 kHz"), "{error}");
}

/// A bus on which one transfer goes wrong.
struct FaultyBus {
    bus: Bus,
    fault: Fault,
    /// Transfers until the fault.
    countdown: u32,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Nobody acknowledges.
    NoAcknowledge,
    /// A bit is flipped in this byte of what is read, or of what is written.
    BitFlip(usize),
    /// The bytes from this one on read as 0xFF.
    Truncated(usize),
    /// Another program puts the chip to sleep just before.
    PutToSleep,
    /// The chip loses power for a moment just before.
    PowerLoss,
    /// Nobody acknowledges this transfer and as many after it.
    Stuck(u32),
}

impl ErrorType for FaultyBus {
    type Error = BusError;
}

impl I2c for FaultyBus {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), BusError> {
        let is_now = self.countdown == 0;
        if let (true, Fault::Stuck(left @ 1..)) = (is_now, self.fault) {
            self.fault = Fault::Stuck(left - 1);
            return Err(BusError::NoAcknowledge);
        }
        self.countdown = self.countdown.wrapping_sub(1);
        if !is_now {
            return self.bus.transaction(address, operations);
        }
        match (self.fault, operations) {
            (Fault::NoAcknowledge, _) => Err(BusError::NoAcknowledge),
            (Fault::PutToSleep, operations) => {
                // A busy chip does not hear it.
                let _ = self.bus.write(TRUST_AND_GO_ADDRESS, &[0x01]);
                self.bus.transaction(address, operations)
            }
            (Fault::PowerLoss, operations) => {
                self.bus.chip_mut().lose_power();
                self.bus.transaction(address, operations)
            }
            (Fault::BitFlip(at), [Operation::Write(bytes)]) => {
                let mut damaged = bytes.to_vec();
                if let Some(byte) = damaged.get_mut(at) {
                    *byte ^= 0x04;
                }
                self.bus.write(address, &damaged)
            }
            (Fault::Truncated(at), [Operation::Write(bytes)]) => {
                self.bus.write(address, &bytes[..at.min(bytes.len())])
            }
            (fault, operations) => {
                self.bus.transaction(address, operations)?;
                if let [Operation::Read(buffer)] = operations {
                    match fault {
                        Fault::BitFlip(at) if at < buffer.len() => buffer[at] ^= 0x04,
                        Fault::Truncated(at) if at < buffer.len() => buffer[at..].fill(0xff),
                        _ => {}
                    }
                }
                Ok(())
            }
        }
    }
}

/// At every byte of every transfer of a signature: the signature is right or there is an error, and the next
/// one works.
#[test]
fn one_fault_anywhere_never_gives_a_wrong_signature() {
    let transfers = 9;
    let longest = 1 + 39;
    let faults = [Fault::NoAcknowledge, Fault::PutToSleep, Fault::PowerLoss]
        .into_iter()
        .chain((0..68).map(Fault::BitFlip))
        .chain((0..68).step_by(3).chain([1, longest]).map(Fault::Truncated));
    let mut signed = 0;
    let mut refused: Vec<String> = Vec::new();
    for fault in faults {
        for countdown in 0..transfers {
            let bus = bus(Pace::Instant);
            let clock = bus.clock();
            let key = p256_key(&bus);
            let mut chip = device(FaultyBus { bus, fault, countdown }, clock);
            match chip.sign(Slot::PRIMARY_KEY, &DIGEST) {
                Ok(signature) => {
                    assert!(key.verify(&DIGEST, &signature), "{fault:?} at transfer {countdown}");
                    signed += 1;
                }
                Err(error) => refused.push(format!("{fault:?} at transfer {countdown}: {error}")),
            }
            let next = chip.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
            assert!(key.verify(&DIGEST, &next), "after {fault:?} at transfer {countdown}");
        }
    }
    // A single fault is something that the driver gets over.
    assert_eq!(refused, [""; 0], "{signed} signed");
}

/// A bus that is stuck for a moment, for as long as a transaction, and for longer than the driver's patience.
#[test]
fn a_stuck_bus_is_an_error_at_most_and_the_next_signature_works() {
    for transfers in [2, 40, 400] {
        for countdown in 0..9 {
            let bus = bus(Pace::Instant);
            let clock = bus.clock();
            let key = p256_key(&bus);
            let mut chip = device(FaultyBus { bus, fault: Fault::Stuck(transfers), countdown }, clock);
            let patience = 100;
            let mut attempts = (0..patience).map(|_| chip.sign(Slot::PRIMARY_KEY, &DIGEST));
            let signature = attempts.find_map(Result::ok).unwrap();
            assert!(key.verify(&DIGEST, &signature), "stuck for {transfers} transfers at {countdown}");
        }
    }
}

/// The public key of slot 0, from a second chip with the same memory.
fn p256_key(bus: &Bus) -> atecc::PublicKey {
    let bus = Bus::new(Chip::new(bus.chip().eeprom().clone(), Pace::Instant), Clock::new_virtual(), 100_000);
    let clock = bus.clock();
    device(bus, clock).public_key(Slot::PRIMARY_KEY).unwrap()
}
