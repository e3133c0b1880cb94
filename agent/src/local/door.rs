//! Who may stay: a connection that has said nothing yet holds no place of a client, and there are few of them at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

/// Connections of one socket that have not said CONNECT.
const MOST_STRANGERS: usize = 32;

/// What one connection passes with its CONNECT.
#[derive(Debug)]
pub(super) struct Door {
    places: Arc<Semaphore>,
    greeted: Arc<AtomicBool>,
}

/// The connections that have not passed it, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Strangers(VecDeque<(AbortHandle, Arc<AtomicBool>)>);

impl Door {
    pub(super) fn new(places: Arc<Semaphore>) -> Self {
        Self { places, greeted: Arc::default() }
    }

    /// Becomes true when the connection has said CONNECT.
    pub(super) fn greeted(&self) -> Arc<AtomicBool> {
        self.greeted.clone()
    }

    /// A place for a client that has said CONNECT, for as long as it stays. `None`: all are taken.
    pub(super) fn enter(self) -> Option<OwnedSemaphorePermit> {
        self.greeted.store(true, Ordering::Relaxed);
        self.places.try_acquire_owned().ok()
    }
}

impl Strangers {
    /// Counts a new connection. With too many the oldest is ended: who speaks MQTT says CONNECT at once, and is not kept
    /// out by those who only connect.
    pub(super) fn add(&mut self, client: AbortHandle, greeted: Arc<AtomicBool>) {
        if self.0.len() >= MOST_STRANGERS {
            self.0.retain(|(client, greeted)| !greeted.load(Ordering::Relaxed) && !client.is_finished());
        }
        if self.0.len() >= MOST_STRANGERS
            && let Some((oldest, _)) = self.0.pop_front()
        {
            oldest.abort();
        }
        self.0.push_back((client, greeted));
    }
}
