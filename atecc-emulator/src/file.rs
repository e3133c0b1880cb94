//! A file as EEPROM, with one owner at a time.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::eeprom::{EEPROM, Eeprom};

/// The first bytes of the file; the digit is the version of the layout.
const MAGIC: &[u8; 16] = b"ATECC-EMULATOR 1";
/// Magic, EEPROM, SHA-256 of both.
const FILE: usize = MAGIC.len() + EEPROM + 32;
/// Pause between two looks at a locked file.
const LOCK_POLL: Duration = Duration::from_millis(20);

/// The EEPROM of an emulated chip in a file, locked against other owners while this value lives.
#[derive(Debug)]
pub struct EepromFile {
    eeprom: Eeprom,
    // Keeps the advisory lock.
    _file: File,
}

impl EepromFile {
    /// Makes `path`, readable and writable by its owner only, with `eeprom` inside. Never overwrites.
    ///
    /// # Errors
    /// When there is such a file already, or it cannot be written whole; then nothing is left behind.
    pub fn create(path: &Path, eeprom: &Eeprom) -> Result<(), FileError> {
        let file_error = |source| FileError::Io { path: path.into(), source };
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|error| {
                match error.kind() {
                    io::ErrorKind::AlreadyExists => FileError::Exists { path: path.into() },
                    _ => file_error(error),
                }
            })?;
        let mut content = Zeroizing::new(Vec::with_capacity(FILE));
        content.extend_from_slice(MAGIC);
        content.extend_from_slice(eeprom.as_bytes());
        let digest = Sha256::digest(&content[..]);
        content.extend_from_slice(&digest);
        file.write_all(&content).and_then(|()| file.sync_all()).map_err(|error| {
            // A part of a chip is of no use to anybody; the first error is the one to tell.
            let _ = std::fs::remove_file(path);
            file_error(error)
        })
    }

    /// Opens `path` and locks it, waiting up to `patience` for another owner to let go.
    ///
    /// # Errors
    /// When there is no such file, it is in use, or it does not hold an EEPROM.
    pub fn open(path: &Path, patience: Duration) -> Result<Self, FileError> {
        let deadline = Instant::now() + patience;
        let mut file = lock(path, deadline)?;
        let mut content = Zeroizing::new(Vec::with_capacity(FILE + 1));
        // One byte more than a whole file has, so that a longer one shows.
        Read::by_ref(&mut file)
            .take(FILE as u64 + 1)
            .read_to_end(&mut content)
            .map_err(|source| FileError::Io { path: path.into(), source })?;
        let eeprom = parse(&content).ok_or_else(|| FileError::Corrupt { path: path.into() })?;
        Ok(Self { eeprom, _file: file })
    }

    /// What the file holds.
    pub const fn eeprom(&self) -> &Eeprom {
        &self.eeprom
    }
}

/// Opens and locks the file that `path` names at that moment: one that was replaced meanwhile does not count.
fn lock(path: &Path, deadline: Instant) -> Result<File, FileError> {
    let io_error = |source| FileError::Io { path: path.into(), source };
    loop {
        let file =
            OpenOptions::new().read(true).write(true).open(path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => FileError::Missing { path: path.into() },
                io::ErrorKind::PermissionDenied => FileError::Permission { path: path.into() },
                _ => io_error(error),
            })?;
        match file.try_lock() {
            Ok(()) => {
                let opened = file.metadata().map_err(io_error)?;
                if std::fs::metadata(path)
                    .is_ok_and(|named| named.ino() == opened.ino() && named.dev() == opened.dev())
                {
                    return Ok(file);
                }
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(io_error(error)),
        }
        if Instant::now() >= deadline {
            return Err(FileError::InUse { path: path.into() });
        }
        thread::sleep(LOCK_POLL);
    }
}

fn parse(content: &[u8]) -> Option<Eeprom> {
    let (body, digest) = content.split_at_checked(FILE - 32)?;
    if digest != Sha256::digest(body).as_slice() {
        return None;
    }
    body.strip_prefix(MAGIC)?.try_into().ok().map(Eeprom::from_bytes)
}

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
    /// The file system failed.
    #[error("the emulated chip {path} cannot be read or written: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::provision;

    fn chip_file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chip.eeprom");
        EepromFile::create(&path, &provision::tng_tls().unwrap()).unwrap();
        (folder, path)
    }

    #[test]
    fn what_was_written_is_read_and_only_the_owner_may() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chip.eeprom");
        let eeprom = provision::tng_tls().unwrap();
        EepromFile::create(&path, &eeprom).unwrap();
        assert_eq!(EepromFile::open(&path, Duration::ZERO).unwrap().eeprom(), &eeprom);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_second_owner_is_told_and_may_have_it_afterwards() {
        let (_folder, path) = chip_file();
        let owner = EepromFile::open(&path, Duration::ZERO).unwrap();
        assert!(matches!(EepromFile::open(&path, Duration::from_millis(50)), Err(FileError::InUse { .. })));
        drop(owner);
        EepromFile::open(&path, Duration::ZERO).unwrap();
    }

    #[test]
    fn an_existing_file_is_never_overwritten() {
        let (_folder, path) = chip_file();
        let before = std::fs::read(&path).unwrap();
        let other = provision::tng_tls().unwrap();
        assert!(matches!(EepromFile::create(&path, &other), Err(FileError::Exists { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn damage_is_noticed_wherever_it_is_and_left_as_it_is() {
        let (_folder, path) = chip_file();
        let good = std::fs::read(&path).unwrap();
        let damaged = (0..good.len()).step_by(97).map(|position| {
            let mut bytes = good.clone();
            bytes[position] ^= 0x20;
            bytes
        });
        let shapes = [vec![], good[..good.len() - 1].to_vec(), [&good[..], b"x"].concat()];
        for bytes in damaged.chain(shapes) {
            std::fs::write(&path, &bytes).unwrap();
            assert!(matches!(EepromFile::open(&path, Duration::ZERO), Err(FileError::Corrupt { .. })));
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
    }
}
