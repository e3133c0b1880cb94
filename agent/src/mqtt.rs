//! The link to the server: MQTT 3.1.1 or 5 at QoS 1, on a thread of its own.
//!
//! A handshake blocks its thread while the chip signs (60 to 120 ms, and longer when others use the chip), so
//! the link has a thread with its own runtime, and nothing else may depend on that thread being prompt.
//!
//! [`Link`] takes messages at any time, connected or not. It connects, subscribes, sends, and after a loss
//! does so again by itself; every message stays here until the server has acknowledged it. A server may
//! therefore get a message twice, but never not at all, as long as the process lives. What must outlive the process
//! comes from the [outbox](crate::outbox).

mod backoff;
mod beat;
mod connection;
mod error;
mod limits;
mod link;
mod options;
mod outbound;
mod reason;
mod rivals;
mod v3;
mod v5;
mod window;
mod worker;

use std::time::Duration;

use crate::tls::Handshake;

pub(crate) use backoff::Backoff;
pub use backoff::Reconnect;
pub use error::{Disconnect, Error};
pub(crate) use limits::check_message;
pub use limits::{MAX_PAYLOAD, check_topic};
pub use link::{Events, Link, Receipt};
pub use options::{LastWill, Options, Version};

/// What the link tells, in the order in which it happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// Connected, and every subscription has been answered.
    Connected {
        /// Which attempt of this link it was, counted from 1.
        attempt: u64,
        /// What TLS agreed on.
        handshake: Handshake,
        /// Filters that the server does not let us subscribe to.
        refused_filters: Vec<String>,
        /// The server goes on with a session that it kept; it has kept what came meanwhile, too.
        session_present: bool,
    },
    /// A message came.
    Message(Message),
    /// The server does not take this message of [`Link::publish`], which was given up: it says so in MQTT 5, or cut one
    /// connection after the other for it.
    Undeliverable {
        /// Its topic.
        topic: String,
    },
    /// The connection ended, or an attempt failed. The link tries again by itself.
    Disconnected {
        /// Why.
        reason: Disconnect,
        /// When it tries again.
        retry_in: Duration,
        /// Messages that the server has not acknowledged; they are sent again.
        unacknowledged: usize,
    },
}

/// A message that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its topic.
    pub topic: String,
    /// Its content.
    pub payload: Vec<u8>,
}

/// The server's PUBACK for one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acknowledgement {
    /// From the call of [`Link::publish`] on.
    pub took: Duration,
    /// How often the message was sent; more than once if connections were lost meanwhile.
    pub attempts: u32,
}
