//! What one thing cost.

use std::time::Duration;

use atecc_emulator::{Bus, Figures};

/// A transfer that nobody acknowledges: start, address, the missing acknowledgement, stop.
const POLL: Duration = Duration::from_nanos(11 * 1_000_000_000 / Bus::STANDARD_HERTZ as u64);

/// What a chip needs between its wake pulse and the first transfer (tWHI, section 8.3 of the data sheet).
const WAKE: Duration = Duration::from_micros(1_500);

/// Counts of the bus, and times.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) wakes: u64,
    /// Wake pulses and failed polls included.
    pub(crate) transactions: u64,
    /// Transfers that a busy chip did not acknowledge.
    pub(crate) polls: u64,
    pub(crate) bytes: u64,
    pub(crate) commands: u64,
    pub(crate) chip: Duration,
    /// Without the failed polls, during which the chip works.
    pub(crate) bus: Duration,
    pub(crate) wall: Duration,
}

impl Cost {
    /// What lies between two looks at the meter, and took `wall`.
    pub(crate) fn between(before: &Figures, after: &Figures, wall: Duration) -> Self {
        let polls = after.refused - before.refused;
        let wakes = after.wakes - before.wakes;
        let failed = POLL * u32::try_from(polls).unwrap_or(u32::MAX);
        Self {
            wakes,
            transactions: after.transactions - before.transactions + polls + wakes,
            polls,
            bytes: after.written + after.read - before.written - before.read,
            commands: after.commands - before.commands,
            chip: after.chip_time - before.chip_time,
            bus: (after.bus_time - before.bus_time).saturating_sub(failed),
            wall,
        }
    }

    /// What no host can go below: the chip's work and the transfers that have to be.
    pub(crate) fn floor(&self) -> Duration {
        self.chip + self.bus
    }

    /// How many times the floor it took; nothing if it took the chip nothing.
    pub(crate) fn ratio(&self) -> Option<f64> {
        let floor = self.floor();
        (!floor.is_zero()).then(|| self.wall.as_secs_f64() / floor.as_secs_f64())
    }

    /// The same with what the chip takes to wake in the floor: it is the chip's own time too, but no command's.
    pub(crate) fn ratio_with_wake(&self) -> Option<f64> {
        let wakes = WAKE * u32::try_from(self.wakes).unwrap_or(u32::MAX);
        Self { chip: self.chip + wakes, ..*self }.ratio()
    }
}

/// The middle of `values`, each field by itself; zero if there are none.
pub(crate) fn median<T: Copy + PartialOrd + Default>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len() / 2).copied().unwrap_or_default()
}
