//! What a token has cost so far.

use std::{ops::Sub, time::Duration};

use atecc::i2c;

/// Counters since the token was opened. Take two and subtract to measure what lies between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Signatures that were handed out.
    pub signatures: u64,
    /// What crossed the bus.
    pub bus: i2c::Statistics,
    /// Time in which the chip was at work for this token, from wake to sleep; waiting for others is not in it.
    pub busy: Duration,
}

impl Sub for Statistics {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            signatures: self.signatures - earlier.signatures,
            bus: self.bus - earlier.bus,
            busy: self.busy.saturating_sub(earlier.busy),
        }
    }
}
