//! What a bus has seen.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::Clock;

/// What happened on a bus since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// Wake pulses: transfers to address 0, long enough or not.
    pub wakes: u64,
    /// Transfers that a chip acknowledged.
    pub transactions: u64,
    /// Transfers that no chip acknowledged: polls of a busy chip, or somebody who is not there.
    pub refused: u64,
    /// Bytes that were written, without the address.
    pub written: u64,
    /// Bytes that were read, without the address.
    pub read: u64,
    /// Commands that chips executed or refused.
    pub commands: u64,
    /// How long chips were busy with them.
    pub chip_time: Duration,
    /// How long the bus was.
    pub bus_time: Duration,
    /// How long all took by the clock of the bus, which may be virtual.
    pub clock_time: Duration,
    /// How long all took in the world.
    pub real_time: Duration,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} wakes, {} transactions, {} not acknowledged, {} bytes written, {} bytes read, {} commands; \
             chip {:.1?}, bus {:.1?}, clock {:.1?}, real {:.1?}",
            self.wakes,
            self.transactions,
            self.refused,
            self.written,
            self.read,
            self.commands,
            self.chip_time,
            self.bus_time,
            self.clock_time,
            self.real_time
        )
    }
}

/// Reads the figures of a bus while it runs. Clones read the same ones.
#[derive(Clone, Debug)]
pub struct Meter {
    figures: Arc<Mutex<Figures>>,
    clock: Clock,
    start: (Duration, Instant),
}

impl Meter {
    pub(crate) fn new(clock: Clock) -> Self {
        let start = (clock.now(), Instant::now());
        Self { figures: Arc::default(), clock, start }
    }

    /// What has happened until now.
    pub fn figures(&self) -> Figures {
        let (clock, real) = self.start;
        Figures {
            clock_time: self.clock.now().saturating_sub(clock),
            real_time: real.elapsed(),
            ..*self.lock()
        }
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Figures)) {
        change(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, Figures> {
        // Numbers are never half changed.
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
