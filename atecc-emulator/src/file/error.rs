//! What can be wrong with the file of a chip.

use std::{io, path::PathBuf};

/// Why an emulated chip's file could not be used. The file is left as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Nothing is there.
    #[error("there is no emulated chip at {path}; make one with `atecc emulator new {path}`", path = path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Something is there that must not be overwritten.
    #[error("{path} exists and is not overwritten, since its keys cannot be made again; choose another name", path = path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file belongs to somebody else.
    #[error("no permission to use the emulated chip {path}; run as its owner", path = path.display())]
    Permission {
        /// The file.
        path: PathBuf,
    },
    /// Another process, or another part of this one, has the chip.
    #[error(
        "the emulated chip {path} is in use by another program; wait for it to end, or share the chip \
         with `atecc emulator serve {path} SOCKET` and the device emulator:unix:SOCKET",
        path = path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The bytes are not those that were written.
    #[error(
        "{path} is not an emulated chip, or is damaged (its checksum does not match); \
         restore it from a copy or make another with `atecc emulator new`",
        path = path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
    },
    /// What the chip writes cannot be kept. The file is as it was.
    #[error(
        "what the emulated chip {path} writes cannot be saved ({source}), since that takes a new file beside it; \
         let this user write to its folder, or copy the chip into another one",
        path = path.display()
    )]
    Unsaved {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file system failed.
    #[error("the emulated chip {path} cannot be read or written: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
