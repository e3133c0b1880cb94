//! Whether the machine runs us at all.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Between two beats.
const BEAT: Duration = Duration::from_millis(1);
/// A beat that comes so late was kept back by others on the machine: two seconds of the protocol's at the haste of a
/// campaign, of the four that a first exchange may take.
const LATE: Duration = Duration::from_millis(50);

/// How late the latest beat was.
#[derive(Default)]
pub(super) struct Pulse(AtomicU64);

impl Pulse {
    /// Beats until `is_over`.
    pub(super) fn beat(&self, is_over: &AtomicBool) {
        while !is_over.load(Ordering::Relaxed) {
            let start = Instant::now();
            thread::sleep(BEAT);
            self.0.fetch_max(start.elapsed().as_millis() as u64, Ordering::Relaxed);
        }
    }

    /// Whether one was late since the last call: then a wait that was too short says nothing about the protocol.
    pub(super) fn missed(&self) -> bool {
        u128::from(self.0.swap(0, Ordering::Relaxed)) >= LATE.as_millis()
    }
}
