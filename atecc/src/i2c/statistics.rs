//! What the driver counts on the bus.

use core::ops::Sub;

/// Counters since the transport was made. Take two and subtract to measure what lies between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Wake pulses.
    pub wakes: u64,
    /// Commands sent to the chip, repeated ones included.
    pub commands: u64,
    /// Bus transfers of any kind: wake pulses, writes, reads, polls that met a busy chip.
    pub transactions: u64,
    /// Reads that met a busy chip.
    pub polls: u64,
    /// Bytes sent, without the address byte.
    pub bytes_written: u64,
    /// Bytes received, without the address byte.
    pub bytes_read: u64,
    /// Transactions that were tried again.
    pub retries: u64,
    /// Microseconds spent waiting for the chip: wake delay, execution, polls.
    pub waited_us: u64,
}

impl Statistics {
    pub(super) const ZERO: Self = Self {
        wakes: 0,
        commands: 0,
        transactions: 0,
        polls: 0,
        bytes_written: 0,
        bytes_read: 0,
        retries: 0,
        waited_us: 0,
    };

    /// The time that has passed at 100 kHz, as far as the driver knows: delays, bytes and address bytes.
    pub(super) const fn elapsed_us(&self) -> u64 {
        self.waited_us + super::BYTE_US * (self.bytes_written + self.bytes_read + self.transactions)
    }
}

impl Sub for Statistics {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            wakes: self.wakes - earlier.wakes,
            commands: self.commands - earlier.commands,
            transactions: self.transactions - earlier.transactions,
            polls: self.polls - earlier.polls,
            bytes_written: self.bytes_written - earlier.bytes_written,
            bytes_read: self.bytes_read - earlier.bytes_read,
            retries: self.retries - earlier.retries,
            waited_us: self.waited_us - earlier.waited_us,
        }
    }
}
