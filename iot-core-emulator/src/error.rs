//! What can go wrong on the cloud's side of the emulator.

use std::net::SocketAddr;
use std::time::Duration;

use crate::event::Event;

/// An error of the emulator itself. What clients do wrong is never an error here: it is an [`Event`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The endpoint could be mistaken for a name of the public internet.
    #[error(
        "endpoint {0:?} must be a DNS name under .test, .example, .invalid or .localhost, so that nobody mistakes the emulator for AWS, and of one account only"
    )]
    Endpoint(String),
    /// The region or the account cannot stand in an ARN.
    #[error("{0:?} cannot stand in an ARN: use letters, digits and `-` only")]
    Arn(String),
    /// The operating system refused a listener.
    #[error("cannot listen on {address}: choose port 0 or a free port: {source}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// Why it was refused.
        source: std::io::Error,
    },
    /// The thread or the runtime of the emulator could not be started.
    #[error("cannot start the emulator's thread: {0}")]
    Thread(#[from] std::io::Error),
    /// The emulator's own certificates could not be made.
    #[error("cannot make the emulator's certificates: {0}")]
    Authority(#[from] rcgen::Error),
    /// The TLS library refused the emulator's configuration.
    #[error("cannot configure TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The broker library failed.
    #[error("the broker library failed: {0}")]
    Broker(String),
    /// The emulator's thread gave no answer in time, or has ended.
    #[error("the emulator does not answer: it was stopped or its thread has ended")]
    Stopped,
    /// These bytes are no X.509 certificate.
    #[error("not a DER certificate (PEM must be decoded first): {0}")]
    Certificate(x509_cert::der::Error),
    /// A thing name breaks AWS's pattern.
    #[error("thing name {0:?} must match [a-zA-Z0-9:_-]+ and have at most 128 characters")]
    ThingName(String),
    /// A thing without a thing type has at most three attributes.
    #[error("a thing without a thing type has at most 3 attributes, not {0}")]
    TooManyAttributes(usize),
    /// A policy document is malformed, or uses what this emulator leaves out.
    #[error("policy document refused: {0}")]
    Policy(String),
    /// A provisioning template is malformed, or uses what this emulator leaves out.
    #[error("provisioning template refused: {0}")]
    Template(String),
    /// A certificate that may not sign others.
    #[error("this certificate is none of an authority: its basic constraints do not say CA")]
    NoAuthority,
    /// The name is taken; AWS says ResourceAlreadyExistsException.
    #[error("{kind} {name} exists already")]
    AlreadyExists {
        /// "certificate", "thing", "policy" and so on.
        kind: &'static str,
        /// Its name or id.
        name: String,
    },
    /// The name is unknown; AWS says ResourceNotFoundException.
    #[error("{kind} {name} is not in the registry: create it first")]
    NotFound {
        /// "certificate", "thing", "policy" and so on.
        kind: &'static str,
        /// Its name or id.
        name: String,
    },
    /// A topic to publish to, or a filter to subscribe to, is not valid MQTT.
    #[error("{0:?} is not a valid MQTT topic or filter for this call")]
    Topic(String),
    /// A shadow update was rejected.
    #[error("shadow update rejected with code {code}: {message}")]
    Shadow {
        /// The code that a device would get in `/rejected`, for example 409.
        code: u16,
        /// Its message.
        message: String,
    },
}

/// No event fitted within the time given to a wait.
///
/// Shows the newest events, because they usually say what happened instead.
#[derive(Debug, thiserror::Error)]
pub struct Timeout {
    /// How long was waited.
    pub waited: Duration,
    /// The newest events of the history, oldest first, at most ten.
    pub newest: Vec<Event>,
}

impl std::fmt::Display for Timeout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no such event within {:?}", self.waited)?;
        if self.newest.is_empty() {
            return f.write_str("; nothing was recorded at all: did the client dial this emulator?");
        }
        f.write_str("; the newest events are:")?;
        for event in &self.newest {
            write!(f, "\n  {event}")?;
        }
        Ok(())
    }
}
