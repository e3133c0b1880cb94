//! A token bucket: calls are spread over time, so that the quota is used up and not exceeded.
//!
//! Crates of rate limiters exist; they wait on clocks of their own.

use std::{cell::Cell, time::Duration};

/// What may be made up for when this program was late, in time. A server that counts calls of any one second sees no
/// more than the quota and a quarter.
const TOLERANCE: Duration = Duration::from_millis(250);
/// Calls that were throttled do not count with AWS, so they are made again. Attempts are limited too, to this multiple
/// of the quota, for the day when somebody else uses it up.
const ATTEMPTS: f64 = 1.5;

/// The calls of one API.
#[derive(Debug)]
pub(super) struct Bucket {
    calls: Pace,
    attempts: Pace,
}

impl Bucket {
    /// `rate` is in calls per second.
    pub(super) fn new(rate: f64) -> Self {
        Self { calls: Pace::new(rate), attempts: Pace::new(rate * ATTEMPTS) }
    }

    /// The moment from which on a call may be made; nobody else gets it.
    pub(super) fn reserve(&self, now: Duration) -> Duration {
        self.calls.reserve(now).max(self.attempts.reserve(now))
    }

    /// The call that was made was throttled, and does not count.
    pub(super) fn give_back(&self) {
        self.calls.give_back();
    }

    /// When the next turn is, as far as others have theirs.
    pub(super) fn next(&self) -> Duration {
        self.calls.next.get()
    }
}

/// Moments at the same distance ("virtual scheduling" of the generic cell rate algorithm, ITU-T I.371, annex A).
#[derive(Debug)]
struct Pace {
    interval: Duration,
    next: Cell<Duration>,
}

impl Pace {
    fn new(rate: f64) -> Self {
        Self { interval: Duration::from_secs_f64(1.0 / rate), next: Cell::default() }
    }

    fn reserve(&self, now: Duration) -> Duration {
        let moment = self.next.get().max(now.saturating_sub(TOLERANCE));
        self.next.set(moment + self.interval);
        moment
    }

    fn give_back(&self) {
        self.next.set(self.next.get().saturating_sub(self.interval));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the last of `calls` calls is made, by somebody who does nothing but wait for them. Of those with a number
    /// that `is_throttled` names, each is throttled.
    fn last(bucket: &Bucket, calls: usize, is_throttled: impl Fn(usize) -> bool) -> Duration {
        let mut now = Duration::ZERO;
        for call in 1..=calls {
            now = now.max(bucket.reserve(now));
            if is_throttled(call) {
                bucket.give_back();
            }
        }
        now
    }

    #[test]
    fn calls_come_at_the_rate_and_what_was_throttled_comes_again_sooner() {
        assert_eq!(last(&Bucket::new(10.0), 101, |_| false).as_millis(), 10_000);
        // Every third is throttled: as many others are made as before, in the same time.
        let seconds = last(&Bucket::new(10.0), 151, |call| call % 3 == 0).as_secs_f64();
        assert!((9.9..10.2).contains(&seconds), "{seconds}");
        // All are: attempts have a limit as well.
        let seconds = last(&Bucket::new(10.0), 151, |_| true).as_secs_f64();
        assert!((9.5..10.5).contains(&seconds), "{seconds}");
    }

    #[test]
    fn who_comes_late_catches_up_a_little_and_no_more() {
        let (bucket, minute) = (Bucket::new(100.0), Duration::from_secs(60));
        let mut now = minute;
        let mut calls = 0;
        while now < minute + Duration::from_secs(1) {
            now = now.max(bucket.reserve(now));
            calls += 1;
        }
        assert!((100..=127).contains(&calls), "{calls}");
    }
}
