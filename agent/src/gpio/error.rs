//! Why a line cannot be had.

use std::io;
use std::path::PathBuf;

/// Why a line cannot be had. `property` is its name in the configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such chip.
    #[error("line {property:?}: there is no GPIO chip {chip}; {there}")]
    NoChip {
        /// The line.
        property: String,
        /// What was asked for.
        chip: String,
        /// Which chips there are, in words.
        there: String,
    },
    /// The device node may not be opened.
    #[error(
        "line {property:?}: no permission for {chip}; let the agent's user into the group that owns it (often gpio): `ls -l {chip}` tells"
    )]
    NoPermission {
        /// The line.
        property: String,
        /// The device node.
        chip: PathBuf,
    },
    /// The chip has no such line.
    #[error("line {property:?}: {chip} has no line {line}; {there}")]
    NoLine {
        /// The line.
        property: String,
        /// The device node, or "this machine".
        chip: String,
        /// What was asked for.
        line: String,
        /// What there is instead, in words.
        there: String,
    },
    /// Somebody else has it.
    #[error(
        "line {property:?}: line {offset} of {chip} is in use by {user:?}; free it there (a driver: in the device tree), or choose another"
    )]
    Busy {
        /// The line.
        property: String,
        /// The device node.
        chip: PathBuf,
        /// The line's number on it.
        offset: u32,
        /// Who has it, as it calls itself.
        user: String,
    },
    /// The operating system says something else.
    #[error("line {property:?}: {action}: {source}")]
    Refused {
        /// The line.
        property: String,
        /// What was tried.
        action: String,
        /// The operating system's words.
        source: io::Error,
    },
}

impl Error {
    /// Whether it may help to try again.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Refused { .. })
    }
}
