//! What systemd is told: ready, reloading, stopping, what to show, and that all is alive.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atecc_agent::supervisor::Report;
use sd_notify::{NotifyState, notify};

/// How often the watchdog is fed while no agent runs.
const FEED: Duration = Duration::from_secs(1);

/// Tells systemd. Clones are the same. Without systemd it tells nobody.
#[derive(Clone)]
pub(super) struct Systemd(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    ready: bool,
    hangs: bool,
}

impl Systemd {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// An agent is about to begin, and has not set up everything yet.
    pub(super) fn starting(&self) {
        self.told(|told| told.ready = false);
    }

    /// Whether the agent that runs has set up everything.
    pub(super) fn is_ready(&self) -> bool {
        self.told(|told| told.ready)
    }

    /// Looks at what the agent reports. Each pulse of it is one for the watchdog, too, so that this dies with its loop.
    pub(super) fn report(&self, report: &Report) {
        match report {
            Report::Pulse(pulse) => {
                if !self.told(|told| std::mem::replace(&mut told.ready, true)) {
                    send(&[NotifyState::Ready]);
                }
                if !pulse.link_hangs() {
                    send(&[NotifyState::Watchdog]);
                } else if !self.told(|told| std::mem::replace(&mut told.hangs, true)) {
                    tracing::error!(
                        "the thread of the MQTT link hangs; systemd's watchdog will restart the agent"
                    );
                }
            }
            Report::Starting { endpoint, .. } => status(&format!("Connecting to {endpoint}")),
            Report::Connected { .. } => status("Connected"),
            Report::Disconnected { reason, retry_in, .. } => {
                status(&format!("Not connected, next attempt in {} s: {reason}", retry_in.as_secs()));
            }
            _ => {}
        }
    }

    /// A certificate is being got, which may take any time.
    pub(super) fn provisioning(&self) {
        send(&[NotifyState::Ready, NotifyState::Status("Getting a certificate")]);
    }

    /// Feeds the watchdog as long as no agent does. Never ends.
    pub(super) async fn feed(&self) {
        loop {
            send(&[NotifyState::Watchdog]);
            tokio::time::sleep(FEED).await;
        }
    }

    pub(super) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => send(&[NotifyState::Reloading, now]),
            Err(_) => send(&[NotifyState::Reloading]),
        }
    }

    pub(super) fn reloaded(&self) {
        send(&[NotifyState::Ready]);
    }

    pub(super) fn stopping(&self) {
        send(&[NotifyState::Stopping]);
    }

    fn told<T>(&self, look: impl FnOnce(&mut Told) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn status(text: &str) {
    send(&[NotifyState::Status(text)]);
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = notify(states) {
        // systemd will tell, if it misses anything.
        tracing::debug!("cannot tell systemd: {error}");
    }
}
