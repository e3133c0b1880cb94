//! Pace, watchdog and power of a chip.

use std::time::Duration;

use atecc::Configuration;

use crate::command::time;

/// How long commands take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pace {
    /// As on a chip: typical times, up to a fifth shorter or longer from chip to chip, and up to a fifth
    /// shorter or longer than that from call to call. Never longer than [`Longest`](Self::Longest).
    #[default]
    Typical,
    /// The same, drawn from this seed, for runs that can be repeated.
    Seeded(u64),
    /// As long as the vendor's driver would wait.
    Longest,
    /// No time at all.
    Instant,
}

/// The pace of one chip.
#[derive(Debug)]
pub(super) struct Tempo {
    pace: Pace,
    /// What the typical times are multiplied with on this chip.
    middle: f64,
    /// Where a seeded pace has arrived.
    state: u64,
}

impl Tempo {
    pub(super) fn new(pace: Pace) -> Self {
        let state = if let Pace::Seeded(seed) = pace { seed } else { 0 };
        let mut tempo = Self { pace, middle: 1.0, state };
        tempo.middle = tempo.factor();
        tempo
    }

    /// How long the command with this opcode takes, this time.
    pub(super) fn duration(&mut self, opcode: u8, configuration: &Configuration) -> Duration {
        let divider = configuration.clock_divider();
        match self.pace {
            Pace::Typical | Pace::Seeded(_) => {
                let factor = self.middle * self.factor();
                time::typical(opcode, divider).mul_f64(factor).min(time::longest(opcode, divider))
            }
            Pace::Longest => time::longest(opcode, divider),
            Pace::Instant => Duration::ZERO,
        }
    }

    /// Evenly from 0.8 to 1.2.
    fn factor(&mut self) -> f64 {
        let draw = match self.pace {
            Pace::Seeded(_) => self.draw(),
            // A machine without randomness fails loudly where it matters, in the commands; here the middle does.
            _ => getrandom::u32().unwrap_or(u32::MAX / 2),
        };
        0.8 + 0.4 * f64::from(draw) / f64::from(u32::MAX)
    }

    /// SplitMix64, the upper half.
    const fn draw(&mut self) -> u32 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) >> 32) as u32
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
