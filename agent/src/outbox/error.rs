//! What can go wrong with the outbox.

use std::io;
use std::path::PathBuf;

/// Why the outbox cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder or the database cannot be used.
    #[error(
        "cannot use the outbox {path}: {problem}; make it a folder that this user may write to, or name another with `folder` in [outbox]"
    )]
    Unusable {
        /// Which file or folder.
        path: PathBuf,
        /// What the operating system or the database said.
        problem: String,
    },
    /// Another process has it.
    #[error(
        "another process uses the outbox {path}; is the agent running already? Two agents need two folders ([outbox], `folder`)"
    )]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// No thread.
    #[error("cannot start the thread of the outbox: {0}")]
    Thread(#[source] io::Error),
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// As much waits as may.
    #[error(
        "the outbox is full ({most_bytes} bytes wait for the server); raise `megabytes` in [outbox], or let it drop the oldest"
    )]
    Full {
        /// How much may wait.
        most_bytes: u64,
    },
    /// The file system has no room.
    #[error("the disk of the outbox is full; make room, and messages are taken again by themselves")]
    DiskFull,
    /// Writing failed.
    #[error("the outbox cannot be written: {0}; it is tried again")]
    Storage(String),
    /// The server would cut the connection for it; it is in the quarantine.
    #[error("the server does not take such a message, so it is in quarantine: {0}")]
    Quarantined(String),
    /// The outbox has been closed.
    #[error("the outbox has been closed")]
    Ended,
}
