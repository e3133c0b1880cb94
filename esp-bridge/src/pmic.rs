//! The power chip of the Core2: an AXP192, or since version 1.1 of the board an AXP2101, at the same address.

pub mod axp192;
pub mod axp2101;
#[cfg(test)]
mod tests;

use embedded_hal::{delay::DelayNs, i2c::I2c};

/// The seven-bit address of both.
pub const ADDRESS: u8 = 0x34;
/// Which of them it is.
const CHIP_ID: u8 = 0x03;

/// The power chip of this board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pmic {
    /// Chip id 0x03.
    Axp192,
    /// Chip id 0x4A, or 0x47 as its data sheet has it.
    Axp2101,
}

/// Why the rails are not as they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error<E> {
    /// It does not answer.
    Bus(E),
    /// Something else answers at its address.
    Unknown {
        /// What it calls itself.
        id: u8,
    },
}

impl<E> From<E> for Error<E> {
    fn from(error: E) -> Self {
        Self::Bus(error)
    }
}

impl Pmic {
    /// Asks which it is.
    ///
    /// # Errors
    /// When nothing that is known answers.
    pub fn detect<I: I2c>(bus: &mut I) -> Result<Self, Error<I::Error>> {
        match register(bus, CHIP_ID)? {
            0x03 => Ok(Self::Axp192),
            0x4a | 0x47 => Ok(Self::Axp2101),
            id => Err(Error::Unknown { id }),
        }
    }

    /// Switches on what this firmware uses: logic, display, backlight, the 5 V of the light bars. The motor and the
    /// loudspeaker stay off. Ends with a display out of its reset.
    ///
    /// # Errors
    /// When it stops answering.
    pub fn power_up<I: I2c>(self, bus: &mut I, delay: &mut impl DelayNs) -> Result<(), Error<I::Error>> {
        let (rails, reset) = match self {
            Self::Axp192 => (axp192::RAILS, axp192::DISPLAY_RESET),
            Self::Axp2101 => (axp2101::RAILS, axp2101::DISPLAY_RESET),
        };
        rails.iter().try_for_each(|change| change.apply(bus))?;
        // The ILI9342C wants its reset low for 10 µs and takes 120 ms afterwards.
        reset.low().apply(bus)?;
        delay.delay_ms(10);
        reset.high().apply(bus)?;
        delay.delay_ms(120);
        Ok(())
    }
}

/// Some bits of a register and what they become; the others stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    register: u8,
    mask: u8,
    value: u8,
}

impl Change {
    const fn new(register: u8, mask: u8, value: u8) -> Self {
        Self { register, mask, value }
    }

    fn apply<I: I2c>(self, bus: &mut I) -> Result<(), I::Error> {
        let before = if self.mask == 0xff { 0 } else { register(bus, self.register)? };
        let after = before & !self.mask | self.value & self.mask;
        bus.write(ADDRESS, &[self.register, after])
    }
}

/// A line that the power chip drives: one bit of a register.
#[derive(Clone, Copy, Debug)]
struct Line {
    register: u8,
    bit: u8,
}

impl Line {
    const fn low(self) -> Change {
        Change::new(self.register, self.bit, 0)
    }

    const fn high(self) -> Change {
        Change::new(self.register, self.bit, self.bit)
    }
}

fn register<I: I2c>(bus: &mut I, register: u8) -> Result<u8, I::Error> {
    let mut value = [0];
    bus.write_read(ADDRESS, &[register], &mut value)?;
    Ok(value[0])
}
