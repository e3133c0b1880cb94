//! How the outbox is set up.

use std::path::PathBuf;
use std::time::Duration;

/// How the outbox is set up. Start from [`Options::in_folder`] or [`Options::in_memory`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Where the database and the quarantine are. `None`: in memory, and gone with the process.
    pub folder: Option<PathBuf>,
    /// What may wait at most: topics and payloads, with 64 bytes for each message. The file is up to twice as large.
    pub most_bytes: u64,
    /// How old a message may become before it is given up; `None`: any age.
    pub longest_wait: Option<Duration>,
    /// What happens to a message that does not fit.
    pub when_full: WhenFull,
    /// When a message is committed.
    pub sync: Sync,
    /// Bytes that the quarantine may take; beyond them the oldest there is deleted.
    pub quarantine_bytes: u64,
}

/// What happens to a message that does not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// It is refused, and whoever offered it is told.
    #[default]
    Refuse,
    /// The oldest messages that are not about to be sent are given up for it.
    DropOldest,
}

/// When a message is committed. Either way it counts as taken only after its commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// Each message by a commit of its own.
    Each,
    /// All that came while the last commit was under way by one commit, which waits for more company for this long.
    Group(Duration),
}

impl Default for Sync {
    fn default() -> Self {
        Self::Group(Duration::ZERO)
    }
}

impl Options {
    /// An outbox on disk.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), ..Self::in_memory() }
    }

    /// An outbox that lives as long as the process.
    pub fn in_memory() -> Self {
        Self {
            folder: None,
            most_bytes: 64 << 20,
            longest_wait: None,
            when_full: WhenFull::default(),
            sync: Sync::default(),
            quarantine_bytes: 8 << 20,
        }
    }
}
