//! Why the agent could not start, or ended by itself.

use std::time::Duration;

use crate::{config, gpio, local, mqtt, outbox, tls};

/// Why the agent could not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The key or its certificates cannot be used.
    #[error(transparent)]
    Identity(#[from] identity::Error),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The outbox cannot be used.
    #[error(transparent)]
    Outbox(#[from] outbox::Error),
    /// The local listener cannot be opened.
    #[error(transparent)]
    Local(#[from] local::Error),
    /// A line cannot be had.
    #[error(transparent)]
    Gpio(#[from] gpio::Error),
    /// The link cannot be started, or did not take a message.
    #[error(transparent)]
    Link(#[from] mqtt::Error),
    /// The one attempt to connect failed.
    #[error(transparent)]
    Disconnected(#[from] mqtt::Disconnect),
    /// The thread of the link has ended, which it never does by itself.
    #[error("the MQTT link has ended unexpectedly; please report this with the log")]
    LinkEnded,
    /// The server took too long.
    #[error("nothing was acknowledged within {0:?}; is the server overloaded, or the chip used by many?")]
    TooSlow(Duration),
    /// A signal came first.
    #[error("interrupted before the server acknowledged the message")]
    Interrupted,
}

impl Error {
    /// Whether somebody must change the configuration first; otherwise it may help to try again.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Config(_) | Self::Local(_) | Self::Outbox(outbox::Error::Unusable { .. }) => true,
            Self::Gpio(error) => !error.is_passing(),
            Self::Identity(error) => error.is_configuration(),
            Self::Tls(error) => error.is_configuration(),
            _ => false,
        }
    }
}
