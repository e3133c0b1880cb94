//! The bridge protocol: the chip at the other end of a byte stream, be it a serial line, USB or a socket.
//!
//! Both ends live here. [`Client`] is a [`Transport`](crate::Transport); [`Server`] and [`serve`] answer it with
//! any other transport, and with a [`Gate`] that decides what may reach the chip. The same stream is understood
//! as Microchip's text protocol when a host speaks that ([`kit`](crate::kit)).
//!
//! The protocol on one page, with its bytes: docs/link.md.
//!
//! # What it promises
//!
//! - One request is one transaction of the chip, from sleep to sleep, or one lease bounded by [`LEASE`].
//! - A request is executed at most once. The far end remembers its last answer and gives it again to the same
//!   sequence number; a repeated request that it no longer knows is refused ([`Fault::Forgotten`]) if twice is
//!   not the same as once.
//! - An answer belongs to its request: sequence numbers have 32 bits and begin at random, so that the late answer
//!   to another process is not taken for one's own.
//! - After any garbage the next delimiter begins anew. Nobody waits longer than the limits below.
//!
//! # How it may change
//!
//! 1. Kinds, flags, fault codes and progress states are never given another meaning and never reused.
//! 2. Fields are appended to [`Welcome`] only; who reads it ignores what follows the fields that it knows, and
//!    takes absent ones as zero.
//! 3. A new kind or flag comes with a new bit in [`Capabilities`] and is used only towards an end that has it.
//!    Unknown capability bits are ignored; an unknown kind or flag is answered with [`Fault::Unsupported`].
//! 4. Only what breaks these rules raises [`VERSION`]. Hello and Welcome keep their first bytes in all versions,
//!    so that two ends can at least tell each other that they do not fit.
//! 5. The byte snapshots in the tests are added to, never edited.

mod client;
mod fault;
mod frame;
mod gate;
mod message;
mod server;
mod stream;
#[cfg(test)]
mod tests;

use core::time::Duration;

pub use client::{Attendant, Client, Counters, Error};
pub use fault::{AsFault, Fault};
pub use frame::{FrameWriter, Incoming, MAX_FRAME, MAX_PAYLOAD, Receiver, crc32};
pub use gate::{Asked, Decision, Gate, Open, Origin, Verdict};
pub use message::{Capabilities, Kind, MAX_NAME, Progress, Welcome};
pub use server::{About, Server, serve};
pub use stream::Stream;

/// The version of the protocol; see "How it may change".
pub const VERSION: u8 = 1;

/// The rate at which every serial line begins, and to which it returns, in baud.
pub const BASE_RATE: u32 = 115_200;

/// How long a lease of the chip lasts at most, from its first request. The chip's shortest watchdog takes 0.7 s
/// (section 8.3).
pub const LEASE: Duration = Duration::from_millis(600);

/// How long a request may stay unanswered in all, without progress being reported.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(8);

/// How long a call of a [`Client`] takes at most if no touch is awaited and the far end is not busy
/// with others: the far end may lose its memory while a request
/// is on its way, so that this is answered at the last moment with [`Fault::Forgotten`]; then come Hello and the request
/// again. A client that has not said Hello yet takes [`HELLO_LIMIT`] more.
pub const CALL_LIMIT: Duration =
    Duration::from_secs(ANSWER_LIMIT.as_secs() + HELLO_LIMIT.as_secs() + ANSWER_LIMIT.as_secs());

/// How long a [`Client`] asks again when the far end is busy with others ([`Fault::Busy`]); then that is what its call
/// fails with. Nothing of such a request was begun, so any may be asked again.
pub const BUSY_LIMIT: Duration = Duration::from_secs(30);

/// Pause between an answer that the far end is busy and the next time that it is asked.
pub const BUSY_INTERVAL: Duration = Duration::from_millis(100);

/// How long the first exchange may take in all: an ESP32 boots and says so meanwhile.
pub const HELLO_LIMIT: Duration = Duration::from_secs(4);

/// After this time Hello is sent again.
pub const HELLO_INTERVAL: Duration = Duration::from_millis(250);

/// The far end reports progress this often while it waits for a touch.
pub const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

/// How long progress may fail to appear after it was reported once.
pub const PROGRESS_LIMIT: Duration = Duration::from_secs(3);

/// The far end waits this long for a touch at most, whatever its gate says.
pub const TOUCH_LIMIT: Duration = Duration::from_secs(60);

/// A frame comes in one go. What is unfinished after this silence never will be, and is thrown away.
pub const SILENCE: Duration = Duration::from_millis(200);

/// A changed rate that no frame confirms is taken back after this time.
pub const RATE_LIMIT: Duration = Duration::from_secs(1);
