//! Time. What limits a run of hours has to be tested on a clock that is simulated.
//!
//! tokio has such a clock, behind a feature; tests with that feature would have everything above tokio, with the AWS SDK,
//! compiled once more.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A clock, and who waits for it. Moments are the time since it began.
pub(super) trait Clock {
    fn now(&self) -> Duration;
    async fn sleep_until(&self, moment: Duration);

    async fn sleep(&self, time: Duration) {
        self.sleep_until(self.now() + time).await;
    }
}

/// The one on the wall.
#[derive(Debug)]
pub(super) struct SystemClock(Instant);

impl SystemClock {
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep_until(&self, moment: Duration) {
        sleep_until(self.0 + moment).await;
    }
}
