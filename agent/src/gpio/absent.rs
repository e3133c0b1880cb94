//! A line whose hardware is gone, until it is back: a USB adapter that somebody unplugged.

use std::io;
use std::time::{Duration, Instant};

use super::Line;

/// The first wait before a line is requested anew, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Stands in for the line. It remembers how the line was.
#[derive(Debug)]
pub(super) struct Absent(pub(super) bool);

impl Line for Absent {
    fn set(&mut self, _on: bool) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::NotConnected, "its chip is gone; it is looked for again"))
    }

    fn is_on(&self) -> bool {
        self.0
    }
}

/// When it is looked for next.
#[derive(Debug)]
pub(super) struct Absence {
    wait: Duration,
    next: Instant,
}

impl Absence {
    pub(super) fn new(now: Instant) -> Self {
        Self { wait: FIRST, next: now + FIRST }
    }

    /// Whether it is time to look; then the next look comes later.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = now >= self.next;
        if is_due {
            self.wait = (self.wait * 2).min(LONGEST);
            self.next = now + self.wait;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_double_up_to_the_longest() {
        let start = Instant::now();
        let mut absence = Absence::new(start);
        let looks: Vec<_> =
            (0..=120).filter(|second| absence.is_due(start + Duration::from_secs(*second))).collect();
        assert_eq!(looks, [1, 3, 7, 15, 31, 61, 91]);
    }
}
