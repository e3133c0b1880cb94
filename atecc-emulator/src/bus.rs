//! An I2C bus with emulated chips on it.

mod log;

use std::{io::Write, iter, time::Duration};

use embedded_hal::{
    delay::DelayNs,
    i2c::{self, ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation},
};

use self::log::{Event, Log};
use crate::{Chip, Clock, Meter};

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
    others: Vec<Chip>,
    clock: Clock,
    hertz: u32,
    meter: Meter,
    log: Log,
}

impl Bus {
    /// The speed at which a zero byte is long enough to wake the chip.
    pub const STANDARD_HERTZ: u32 = 100_000;

    /// A bus with `chip` on it, clocked at `hertz` (at least 1).
    pub fn new(chip: Chip, clock: Clock, hertz: u32) -> Self {
        let meter = Meter::new(clock.clone());
        Self { chip, others: Vec::new(), clock, hertz: hertz.max(1), meter, log: Log::default() }
    }

    /// Puts another chip on the bus. A wake reaches all chips. Of two with the same address, the one that was
    /// there first answers.
    pub fn add(&mut self, chip: Chip) {
        self.others.push(chip);
    }

    /// Writes a line to `writer` for everything that happens: seconds of the bus's clock, milliseconds that the bus
    /// took, and what it was. Keys and messages are not among it.
    pub fn log_to(&mut self, writer: impl Write + Send + 'static) {
        self.log = Log::to(writer);
    }

    /// What counts what happens on this bus, also after the bus was given away.
    pub fn meter(&self) -> Meter {
        self.meter.clone()
    }

    /// The first chip.
    pub const fn chip(&self) -> &Chip {
        &self.chip
    }

    /// The first chip, to let something happen to it.
    pub const fn chip_mut(&mut self) -> &mut Chip {
        &mut self.chip
    }

    /// The clock that times the bus, for the delay of a driver in the same process.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Lets the time of `bits` pass, and gives it.
    fn spend(&mut self, bits: u64) -> Duration {
        let nanoseconds = u32::try_from(bits * self.bit_ns()).unwrap_or(u32::MAX);
        let time = Duration::from_nanos(nanoseconds.into());
        self.meter.count(|figures| figures.bus_time += time);
        self.clock.delay_ns(nanoseconds);
        time
    }

    /// The pulse of a transfer to address 0, which nobody acknowledges.
    fn wake(&mut self) {
        let took = self.spend(BITS_PER_BYTE + START_STOP_BITS);
        let now = self.clock.now();
        let is_long = ZERO_ADDRESS_BITS * self.bit_ns() >= WAKE_LOW_NS;
        if is_long {
            iter::once(&mut self.chip).chain(&mut self.others).for_each(|chip| chip.wake(now));
        }
        self.meter.count(|figures| figures.wakes += 1);
        self.log.line(now, took, &Event::Wake { is_long });
    }

    /// One operation: the address, and what follows if a chip acknowledges it.
    fn transfer(&mut self, address: u8, operation: &mut Operation<'_>) -> Result<(), BusError> {
        let mut took = self.spend(BITS_PER_BYTE + START_STOP_BITS);
        let now = self.clock.now();
        let is_read = matches!(operation, Operation::Read(_));
        let acknowledges = |chip: &mut Chip| {
            chip.i2c_address() == address
                && if is_read { chip.acknowledges_read(now) } else { chip.acknowledges_write(now) }
        };
        let length = match operation {
            Operation::Read(buffer) => buffer.len(),
            Operation::Write(bytes) => bytes.len(),
        } as u64;
        let Some(index) = self.chips().position(acknowledges) else {
            self.meter.count(|figures| figures.refused += 1);
            self.log.line(now, took, &Event::Refused { address, is_read });
            return Err(BusError::NoAcknowledge);
        };
        // A chip that falls asleep in the middle of a transfer is gone from the next byte on: what is written is
        // not acknowledged there, and what is read is 0xFF.
        let listens = self.chips().nth(index).map_or(now, |chip| chip.listens_until()).saturating_sub(now);
        let heard = u64::try_from(listens.as_nanos()).unwrap_or(u64::MAX) / (BITS_PER_BYTE * self.bit_ns());
        if !is_read && heard < length {
            took += self.spend((heard + 1) * BITS_PER_BYTE);
            self.meter.count(|figures| figures.refused += 1);
            self.log.line(self.clock.now(), took, &Event::Refused { address, is_read });
            return Err(BusError::NoAcknowledge);
        }
        took += self.spend(length * BITS_PER_BYTE);
        let now = self.clock.now();
        let mut executed = None;
        if let Some(chip) = self.chips().nth(index) {
            match operation {
                Operation::Write(bytes) => executed = chip.write(bytes, now),
                Operation::Read(buffer) => {
                    let heard = buffer.len().min(usize::try_from(heard).unwrap_or(usize::MAX));
                    let (heard, gone) = buffer.split_at_mut(heard);
                    chip.read(heard);
                    gone.fill(0xff);
                }
            }
        }
        self.meter.count(|figures| {
            figures.transactions += 1;
            if is_read {
                figures.read += length
            } else {
                figures.written += length
            }
            if let Some(executed) = &executed {
                figures.commands += 1;
                figures.chip_time += executed.busy;
            }
        });
        let event = match operation {
            Operation::Write(bytes) => Event::Written { address, bytes, executed: executed.as_ref() },
            Operation::Read(buffer) => Event::Read { address, bytes: buffer.len() },
        };
        self.log.line(now, took, &event);
        Ok(())
    }

    fn chips(&mut self) -> impl Iterator<Item = &mut Chip> {
        iter::once(&mut self.chip).chain(&mut self.others)
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
            self.wake();
            return Err(BusError::NoAcknowledge);
        }
        operations.iter_mut().try_for_each(|operation| self.transfer(address, operation))
    }
}

/// What can go wrong on an emulated bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BusError {
    /// Nobody acknowledged the address (asleep, busy, or not there), or a byte behind it (fell asleep).
    #[error("no acknowledgement")]
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

#[cfg(test)]
mod tests;
