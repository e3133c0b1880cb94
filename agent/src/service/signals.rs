//! What the system asks of the process.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Stop,
    /// Read the configuration again.
    Reload,
}

/// The signals that are listened to.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// The handlers are in place when this returns.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    pub(super) async fn next(&mut self) -> Ask {
        // `None` would mean that the runtime ends, and then this does as well.
        let (name, ask) = tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", Ask::Stop),
            _ = self.interrupt.recv() => ("SIGINT", Ask::Stop),
            _ = self.hang_up.recv() => ("SIGHUP", Ask::Reload),
        };
        match ask {
            Ask::Stop => tracing::info!("{name} received, stopping"),
            Ask::Reload => tracing::info!("{name} received, reading the configuration again"),
        }
        ask
    }

    /// Ends when the process is told to end.
    pub(super) async fn stop(&mut self) {
        while self.next().await != Ask::Stop {}
    }
}

/// Ends when the process is told to end, for what has nothing to read again. The handlers are in place when this returns.
pub(crate) fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!("{name} received, stopping");
    })
}
