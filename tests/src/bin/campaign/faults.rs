//! Any number of random faults on the bus while it signs: a right signature or an error, never a wrong one.

use std::{cell::Cell, time::Instant};

use atecc::{
    Device, Slot,
    i2c::{I2cTransport, TRUST_AND_GO_ADDRESS},
};
use atecc_emulator::{Bus, BusError, Chip, Clock, Pace, provision};
use embedded_hal::i2c::{ErrorType, I2c, Operation};

use super::{Random, Report};

pub(crate) fn run(end: Instant, mut random: Random) -> Report {
    let eeprom = provision::tng_tls().map_err(|error| error.to_string())?;
    let bus = Bus::new(Chip::new(eeprom, Pace::Typical), Clock::new_virtual(), Bus::STANDARD_HERTZ);
    let clock = bus.clock();
    let rate = Cell::new(0);
    let bus = NoisyBus { bus, random: random.clone(), rate: &rate, faults: 0 };
    let mut chip = Device::new(I2cTransport::new(bus, clock, TRUST_AND_GO_ADDRESS));
    let key = chip.public_key(Slot::PRIMARY_KEY).map_err(|error| error.to_string())?;
    let (mut signed, mut failed, mut wrong) = (0_u64, 0_u64, 0_u64);
    while Instant::now() < end {
        // From a fault in hundred transfers to one in three.
        rate.set(3 + random.below(100));
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&random.next().to_be_bytes());
        match chip.sign(Slot::PRIMARY_KEY, &digest) {
            Ok(signature) if key.verify(&digest, &signature) => signed += 1,
            // A digest that was damaged on the way with a checksum that fits: the token's own check is for this.
            Ok(_) => wrong += 1,
            Err(_) => failed += 1,
        }
        rate.set(0);
        let signature =
            chip.sign(Slot::PRIMARY_KEY, &digest).map_err(|error| format!("after faults: {error}"))?;
        if !key.verify(&digest, &signature) {
            return Err("a wrong signature on a quiet bus".into());
        }
    }
    let faults = chip.transport().statistics().retries;
    if wrong > 0 {
        return Err(format!("{wrong} wrong signatures left the driver"));
    }
    Ok(format!("{signed} signed in spite of faults, {failed} errors, 0 wrong signatures, {faults} retries"))
}

/// A bus that loses or damages one transfer in `rate`, none if it is 0.
struct NoisyBus<'a> {
    bus: Bus,
    random: Random,
    rate: &'a Cell<usize>,
    faults: u64,
}

impl ErrorType for NoisyBus<'_> {
    type Error = BusError;
}

impl I2c for NoisyBus<'_> {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), BusError> {
        let rate = self.rate.get();
        if rate == 0 || self.random.below(rate) != 0 {
            return self.bus.transaction(address, operations);
        }
        self.faults += 1;
        match (self.random.below(4), operations) {
            (0, _) => Err(BusError::NoAcknowledge),
            (1, operations) => {
                // Another program's sleep; a busy chip does not hear it.
                let _ = self.bus.write(TRUST_AND_GO_ADDRESS, &[0x01]);
                self.bus.transaction(address, operations)
            }
            (_, [Operation::Write(bytes)]) => {
                let mut damaged = bytes.to_vec();
                let position = self.random.below(damaged.len());
                if let Some(byte) = damaged.get_mut(position) {
                    *byte ^= 1 << self.random.below(8);
                }
                self.bus.write(address, &damaged)
            }
            (_, operations) => {
                self.bus.transaction(address, operations)?;
                if let [Operation::Read(buffer)] = operations {
                    let position = self.random.below(buffer.len());
                    if let Some(byte) = buffer.get_mut(position) {
                        *byte ^= 1 << self.random.below(8);
                    }
                }
                Ok(())
            }
        }
    }
}
