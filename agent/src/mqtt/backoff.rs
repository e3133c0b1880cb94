//! How long to wait before the next attempt.

use std::time::Duration;

/// Between which bounds the waits lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// The longest wait after the first failure, and the least time from one CONNECT to the next attempt (AWS allows
    /// one per second and client id).
    pub first: Duration,
    /// The longest wait at all.
    pub longest: Duration,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(128) }
    }
}

/// Exponential backoff with full jitter: the wait is anywhere between nothing and a bound that doubles, so
/// that a thousand gateways that lost the same server do not come back in one wave.
#[derive(Debug)]
pub(crate) struct Backoff {
    limits: Reconnect,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(limits: Reconnect) -> Self {
        Self { limits, failures: 0 }
    }

    /// The wait before the next attempt, after a connection that lasted for `lived` (zero: none came about).
    ///
    /// Only a connection that outlived the current bound starts the series again: a server that accepts and
    /// cuts at once, for example because of a policy, must not be asked every second for ever.
    pub(crate) fn after(&mut self, lived: Duration) -> Duration {
        if lived >= self.bound() {
            self.failures = 0;
        }
        let wait = self.bound().mul_f64(random_fraction());
        self.failures = self.failures.saturating_add(1);
        wait
    }

    fn bound(&self) -> Duration {
        // Beyond 2^20 the longest wait holds in any case.
        let factor = 1 << self.failures.min(20);
        self.limits.first.saturating_mul(factor).min(self.limits.longest)
    }
}

/// At least 0 and less than 1. Without a random source the whole wait is taken.
fn random_fraction() -> f64 {
    getrandom::u32().map_or(1.0, |number| f64::from(number) / (f64::from(u32::MAX) + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Reconnect = Reconnect { first: Duration::from_secs(1), longest: Duration::from_secs(128) };

    #[test]
    fn the_bound_doubles_up_to_the_longest() {
        let mut backoff = Backoff::new(LIMITS);
        let mut bounds = Vec::new();
        for _ in 0..9 {
            bounds.push(backoff.bound().as_secs());
            backoff.after(Duration::ZERO);
        }
        assert_eq!(bounds, [1, 2, 4, 8, 16, 32, 64, 128, 128]);
    }

    #[test]
    fn no_wait_exceeds_its_bound_and_they_differ() {
        let waits: Vec<_> = (0..200)
            .map(|_| {
                let mut backoff = Backoff::new(LIMITS);
                backoff.after(Duration::ZERO);
                backoff.after(Duration::ZERO)
            })
            .collect();
        assert!(waits.iter().all(|wait| *wait < Duration::from_secs(2)));
        assert!(waits.iter().any(|wait| *wait < Duration::from_secs(1)));
        assert!(waits.iter().any(|wait| *wait > Duration::from_secs(1)));
    }

    #[test]
    fn only_a_connection_that_lasted_starts_again() {
        let mut backoff = Backoff::new(LIMITS);
        for _ in 0..5 {
            backoff.after(Duration::ZERO);
        }
        backoff.after(Duration::from_secs(31));
        assert_eq!(backoff.bound(), Duration::from_secs(64));
        backoff.after(Duration::from_secs(64));
        assert_eq!(backoff.bound(), Duration::from_secs(2));
    }

    #[test]
    fn it_does_not_overflow() {
        let mut backoff = Backoff { limits: LIMITS, failures: u32::MAX };
        assert!(backoff.after(Duration::ZERO) <= LIMITS.longest);
    }
}
