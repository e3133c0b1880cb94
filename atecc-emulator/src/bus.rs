//! An I2C bus with one emulated chip on it.

use embedded_hal::{
    delay::DelayNs,
    i2c::{self, ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation},
};

use crate::{Chip, Clock};

/// Bits that every byte takes: eight and the acknowledgement.
const BITS_PER_BYTE: u64 = 9;
/// Bit times of a start and a stop condition together.
const START_STOP_BITS: u64 = 2;
/// Bits of an address byte that hold SDA low when the address is zero.
const ZERO_ADDRESS_BITS: u64 = 8;
/// tWLO: how long SDA must be low to wake a chip (section 8.3).
const WAKE_LOW_NS: u64 = 60_000;

/// The bus: transfers take their time at its speed, and a zero address wakes the chip if it takes long enough.
#[derive(Debug)]
pub struct Bus {
    chip: Chip,
    clock: Clock,
    hertz: u32,
}

impl Bus {
    /// The speed at which a zero byte is long enough to wake the chip.
    pub const STANDARD_HERTZ: u32 = 100_000;

    /// A bus with `chip` on it, clocked at `hertz` (at least 1).
    pub fn new(chip: Chip, clock: Clock, hertz: u32) -> Self {
        Self { chip, clock, hertz: hertz.max(1) }
    }

    /// The chip.
    pub const fn chip(&self) -> &Chip {
        &self.chip
    }

    /// The clock that times the bus, for the delay of a driver in the same process.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Lets the time of `bits` pass.
    fn spend(&mut self, bits: u64) {
        let nanoseconds = bits * self.bit_ns();
        self.clock.delay_ns(u32::try_from(nanoseconds).unwrap_or(u32::MAX));
    }

    fn bit_ns(&self) -> u64 {
        1_000_000_000 / u64::from(self.hertz)
    }
}

impl ErrorType for Bus {
    type Error = BusError;
}

impl I2c for Bus {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), BusError> {
        if address == 0x00 {
            self.spend(BITS_PER_BYTE + START_STOP_BITS);
            if ZERO_ADDRESS_BITS * self.bit_ns() >= WAKE_LOW_NS {
                self.chip.wake(self.clock.now());
            }
            return Err(BusError::NoAcknowledge);
        }
        for operation in operations {
            self.spend(BITS_PER_BYTE + START_STOP_BITS);
            if address != self.chip.i2c_address() {
                return Err(BusError::NoAcknowledge);
            }
            match operation {
                Operation::Write(bytes) => {
                    if !self.chip.acknowledges_write(self.clock.now()) {
                        return Err(BusError::NoAcknowledge);
                    }
                    self.spend(bytes.len() as u64 * BITS_PER_BYTE);
                    self.chip.write(bytes, self.clock.now());
                }
                Operation::Read(buffer) => {
                    if !self.chip.acknowledges_read(self.clock.now()) {
                        return Err(BusError::NoAcknowledge);
                    }
                    self.spend(buffer.len() as u64 * BITS_PER_BYTE);
                    self.chip.read(buffer);
                }
            }
        }
        Ok(())
    }
}

/// What can go wrong on an emulated bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BusError {
    /// Nobody acknowledged the address: asleep, busy, or not there.
    #[error("no acknowledgement of the address")]
    NoAcknowledge,
    /// The process that runs the bus has gone, or does not answer.
    #[error("nobody serves it: {0}")]
    Gone(std::io::ErrorKind),
    /// The process behind the socket does not speak the protocol of the emulated bus.
    #[error("the socket is not that of an emulated bus")]
    Protocol,
}

impl i2c::Error for BusError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoAcknowledge => ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address),
            Self::Gone(_) | Self::Protocol => ErrorKind::Other,
        }
    }
}
