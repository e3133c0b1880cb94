//! Pace, watchdog and power of a chip.

use std::time::Duration;

use atecc::Configuration;

use crate::command::time;

/// How long commands take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pace {
    /// As on a chip: typical times, up to a fifth shorter or longer from call to call.
    #[default]
    Typical,
    /// As long as the vendor's driver would wait.
    Longest,
    /// No time at all.
    Instant,
}

impl Pace {
    /// How long the command with this opcode takes, this time.
    pub(super) fn duration(self, opcode: u8, configuration: &Configuration) -> Duration {
        let divider = configuration.clock_divider();
        match self {
            Self::Typical => varied(time::typical(opcode, divider)),
            Self::Longest => time::longest(opcode, divider),
            Self::Instant => Duration::ZERO,
        }
    }
}

/// tWATCHDOG: from the wake until the chip falls asleep by itself. The data sheets give a range (section 8.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watchdog {
    /// 0.7 seconds.
    Shortest,
    /// 1.3 seconds.
    #[default]
    Typical,
    /// 1.7 seconds.
    Longest,
}

impl Watchdog {
    /// ChipMode (byte 19), bit 2: ten times as long, by the vendor's driver.
    const LONG: u8 = 0x04;

    /// The time on a chip with this configuration.
    pub(super) fn duration(self, configuration: &Configuration) -> Duration {
        let milliseconds = match self {
            Self::Shortest => 700,
            Self::Typical => 1_300,
            Self::Longest => 1_700,
        };
        let is_long = configuration.as_bytes()[19] & Self::LONG != 0;
        Duration::from_millis(if is_long { 10 * milliseconds } else { milliseconds })
    }
}

/// When the power of a chip goes, once. It comes back at once; the chip is asleep then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerCut {
    /// At this time of the bus's clock. A command that is not done by then has written nothing.
    At(Duration),
    /// In the next command, after it has written so many bytes into the EEPROM.
    AfterBytes(usize),
}

/// `typical`, up to a fifth shorter or longer.
fn varied(typical: Duration) -> Duration {
    // A machine without randomness fails loudly where it matters, in the commands; here the typical time does.
    let draw = getrandom::u32().unwrap_or(u32::MAX / 2);
    typical.mul_f64(0.8 + 0.4 * f64::from(draw) / f64::from(u32::MAX))
}
