//! The time, which a test may move forward: nobody waits an hour to see a token expire.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::lock;

/// A clock that all parts of one emulator share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock(Arc<Mutex<Duration>>);

impl Clock {
    /// The time now.
    pub(crate) fn now(&self) -> Instant {
        Instant::now() + *lock(&self.0)
    }

    /// Lets time pass at once.
    pub(crate) fn advance(&self, by: Duration) {
        *lock(&self.0) += by;
    }
}
