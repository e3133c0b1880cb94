//! A file as EEPROM, with one owner at a time.

mod error;

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

pub use self::error::FileError;
use crate::{
    Storage,
    eeprom::{EEPROM, Eeprom},
};

/// The first bytes of the file; the digit is the version of the layout.
const MAGIC: &[u8; 16] = b"ATECC-EMULATOR 1";
/// Magic, EEPROM, SHA-256 of both.
const FILE: usize = MAGIC.len() + EEPROM + 32;
/// Pause between two looks at a locked file.
const LOCK_POLL: Duration = Duration::from_millis(20);

/// What a half-written file beside the chip's own is called, behind the name of that.
const SAVING: &str = ".saving";

/// The EEPROM of an emulated chip in a file, locked against other owners while this value lives.
///
/// As the [`Storage`] of a chip it saves what the chip writes: into a new file beside the old one, which takes
/// its place when it is whole and on the disk. So there is one good file at any time, whatever fails.
#[derive(Debug)]
pub struct EepromFile {
    eeprom: Eeprom,
    /// Without symbolic links: what is renamed is the file itself.
    path: PathBuf,
    // Keeps the advisory lock.
    file: File,
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
        file.write_all(&content(eeprom)).and_then(|()| file.sync_all()).map_err(|error| {
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
        let path = fs::canonicalize(path).map_err(|source| FileError::Io { path: path.into(), source })?;
        Ok(Self { eeprom, path, file })
    }

    /// What the file holds.
    pub const fn eeprom(&self) -> &Eeprom {
        &self.eeprom
    }

    /// A new file with this content, locked and on the disk, under a name of its own.
    fn write_beside(&self, beside: &Path, eeprom: &Eeprom) -> io::Result<File> {
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(beside)?;
        file.set_permissions(self.file.metadata()?.permissions())?;
        file.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => io::ErrorKind::ResourceBusy.into(),
        })?;
        file.write_all(&content(eeprom))?;
        file.sync_all()?;
        Ok(file)
    }
}

impl Storage for EepromFile {
    fn save(&mut self, eeprom: &Eeprom) -> io::Result<()> {
        if !is_named(&self.file, &self.path)? {
            return Err(io::Error::other("another file has taken the place of the chip's"));
        }
        let mut beside = self.path.clone().into_os_string();
        beside.push(SAVING);
        let beside = PathBuf::from(beside);
        // One that a crash left behind: only the owner of the lock makes them.
        if let Err(error) = fs::remove_file(&beside)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let saved = self.write_beside(&beside, eeprom).and_then(|file| {
            fs::rename(&beside, &self.path)?;
            Ok(file)
        });
        match saved {
            Ok(file) => self.file = file,
            Err(error) => {
                // The first error is the one to tell.
                let _ = fs::remove_file(&beside);
                return Err(error);
            }
        }
        self.eeprom.clone_from(eeprom);
        // The new file is there. If its name does not reach the disk, a loss of power brings the old one back.
        if let Some(folder) = self.path.parent()
            && let Err(error) = File::open(folder).and_then(|folder| folder.sync_all())
        {
            tracing::warn!(%error, "the folder of the emulated chip cannot be synchronized");
        }
        Ok(())
    }
}

/// The bytes of a file with this EEPROM.
fn content(eeprom: &Eeprom) -> Zeroizing<Vec<u8>> {
    let mut content = Zeroizing::new(Vec::with_capacity(FILE));
    content.extend_from_slice(MAGIC);
    content.extend_from_slice(eeprom.as_bytes());
    let digest = Sha256::digest(&content[..]);
    content.extend_from_slice(&digest);
    content
}

/// Whether `path` names this file.
fn is_named(file: &File, path: &Path) -> io::Result<bool> {
    let opened = file.metadata()?;
    Ok(fs::metadata(path).is_ok_and(|named| named.ino() == opened.ino() && named.dev() == opened.dev()))
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
                if is_named(&file, path).map_err(io_error)? {
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

#[cfg(test)]
mod tests;
