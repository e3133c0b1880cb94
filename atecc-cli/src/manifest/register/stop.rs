//! Whether to stop: asked by the user, or because nothing else can be done.

use tokio::sync::watch;

/// Told once, heard by all calls that wait.
#[derive(Debug)]
pub(super) struct Stop(watch::Sender<bool>);

impl Stop {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(super) fn request(&self) {
        self.0.send_replace(true);
    }

    /// Ends when it is.
    pub(super) async fn requested(&self) {
        // The sender lives as long as this value, so there is no other end.
        let _ = self.0.subscribe().wait_for(|requested| *requested).await;
    }
}
