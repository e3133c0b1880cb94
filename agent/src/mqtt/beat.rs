//! A sign that the link's thread still turns.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::sleep;

/// How often the thread says that it turns.
const EVERY: Duration = Duration::from_secs(1);

/// When the thread of the link said last that it turns. While the key signs it says nothing.
#[derive(Clone, Debug)]
pub(super) struct Beat(Arc<Mutex<Instant>>);

impl Beat {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    /// Runs `work` on this thread, and says in between that the thread turns.
    pub(super) async fn along<T>(&self, work: impl Future<Output = T>) -> T {
        let beat = async {
            loop {
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                sleep(EVERY).await;
            }
        };
        tokio::select! {
            done = work => done,
            never = beat => never,
        }
    }

    pub(super) fn age(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}
