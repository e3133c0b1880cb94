//! Time on the emulated bus: that of the world, or one that only passes when somebody waits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use embedded_hal::delay::DelayNs;

/// A clock that the bus and the driver's delay share. Clones are the same clock.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock; waiting sleeps.
    Real(Instant),
    /// Nanoseconds that pass only by waiting: runs are exact, repeatable and fast.
    Virtual(Arc<AtomicU64>),
}

impl Clock {
    /// The machine's clock, beginning now.
    pub fn real() -> Self {
        Self::Real(Instant::now())
    }

    /// A clock of its own, at zero.
    pub fn new_virtual() -> Self {
        Self::Virtual(Arc::default())
    }

    /// Time since the beginning.
    pub fn now(&self) -> Duration {
        match self {
            Self::Real(start) => start.elapsed(),
            Self::Virtual(nanoseconds) => Duration::from_nanos(nanoseconds.load(Ordering::Relaxed)),
        }
    }
}

impl DelayNs for Clock {
    fn delay_ns(&mut self, ns: u32) {
        match self {
            Self::Real(_) => thread::sleep(Duration::from_nanos(u64::from(ns))),
            Self::Virtual(nanoseconds) => {
                nanoseconds.fetch_add(u64::from(ns), Ordering::Relaxed);
            }
        }
    }

    fn delay_us(&mut self, us: u32) {
        match self {
            Self::Real(_) => thread::sleep(Duration::from_micros(u64::from(us))),
            Self::Virtual(nanoseconds) => {
                nanoseconds.fetch_add(u64::from(us) * 1_000, Ordering::Relaxed);
            }
        }
    }
}
