//! What can go wrong on the link, and why a connection ended.

use std::io;
use std::time::Duration;

use super::limits::MAX_PAYLOAD;
use crate::{dial, tls};

/// Why the link did not take or did not deliver a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The thread of the link could not be started.
    #[error("cannot start the thread of the MQTT link: {0}")]
    Thread(#[source] io::Error),
    /// The address to dial is none.
    #[error("address {0}")]
    Address(String),
    /// The topic would make the server cut the connection.
    #[error("cannot publish to topic {topic:?}: {problem}")]
    Topic {
        /// The topic.
        topic: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The payload would make the server cut the connection.
    #[error("the message for {topic:?} has {bytes} bytes, AWS IoT Core takes {MAX_PAYLOAD}")]
    PayloadTooLarge {
        /// The topic.
        topic: String,
        /// Its length.
        bytes: usize,
    },
    /// Too many messages wait for the server.
    #[error("{0} messages wait for the server already; the message was not taken")]
    QueueFull(usize),
    /// The link was shut down before the server acknowledged the message.
    #[error("the MQTT link was shut down before the server acknowledged the message")]
    Stopped,
    /// The server did not acknowledge the message in time.
    #[error("the server did not acknowledge the message within {0:?}")]
    NotAcknowledged(Duration),
}

/// Why a connection ended, or never became one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Disconnect {
    /// No TCP connection.
    #[error(transparent)]
    Dial(#[from] dial::Error),
    /// Dialling, handshake and CONNECT together took too long.
    #[error("no connection to {address} within {limit:?}; is a firewall in the way?")]
    TooSlow {
        /// What was dialled.
        address: String,
        /// How long was waited.
        limit: Duration,
    },
    /// No TLS, or it broke later.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The server hung up instead of answering CONNECT. AWS does so when it does not know the certificate, and also at
    /// the first connections of a device that is registered just in time.
    #[error(
        "the server closed the connection before CONNACK, as it does the first times where devices are registered just in time; if it goes on, is the certificate, whose id is {certificate}, or the CA that signed it, registered and active?"
    )]
    ClosedBeforeConnack {
        /// Our certificate's id in the registry: the SHA-256 of its DER form, in hexadecimal.
        certificate: String,
    },
    /// The server answered CONNECT with a refusal.
    #[error("the server refused the connection (code {code}): {meaning}")]
    Refused {
        /// CONNACK's return code.
        code: u8,
        /// What it means, and what to do.
        meaning: &'static str,
    },
    /// The server hung up.
    #[error(
        "the server closed the connection; if that repeats, another device uses the same client id or a policy forbids a topic"
    )]
    ClosedByServer,
    /// The server ended the connection and said why, as it can in MQTT 5.
    #[error("the server ended the connection (reason {code:#04x}): {meaning}{}", quoted(.said.as_deref()))]
    ByServer {
        /// The reason code.
        code: u8,
        /// What it means.
        meaning: &'static str,
        /// What the server adds.
        said: Option<String>,
        /// Whether a message that we had sent may be the reason.
        for_a_message: bool,
    },
    /// Another device uses the same client id: the server says so in MQTT 5, and in 3.1.1 there is no other explanation.
    #[error(
        "another device seems to use the same client id: the server closed a healthy connection soon after it was made, {times} times; give each device a `client_id` of its own"
    )]
    TakenOver {
        /// How often that happened.
        times: u32,
    },
    /// The server fell silent.
    #[error("the server is silent, and did not answer a keep-alive ping; the connection is made anew")]
    Silent,
    /// The server did not answer SUBSCRIBE.
    #[error("the server did not answer SUBSCRIBE within {0:?}")]
    NoSuback(Duration),
    /// The socket broke.
    #[error("the connection broke: {0}")]
    Io(#[source] io::Error),
    /// The server broke the protocol, or we did.
    #[error("MQTT protocol error: {0}")]
    Protocol(String),
}

impl Disconnect {
    /// Whether the attempt ended before CONNECT was sent.
    pub(super) const fn is_before_connect(&self) -> bool {
        matches!(self, Self::Dial(_) | Self::Tls(_))
    }

    /// Whether the server may have ended the connection because of a message that it had got.
    pub(super) const fn may_be_for_a_message(&self) -> bool {
        matches!(self, Self::ClosedByServer | Self::ByServer { for_a_message: true, .. })
    }
}

fn quoted(said: Option<&str>) -> String {
    said.map(|said| format!(" ({said:?})")).unwrap_or_default()
}
