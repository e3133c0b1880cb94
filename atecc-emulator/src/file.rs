//! A file as EEPROM, with one owner at a time.

mod error;

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, fchown},
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
///
/// Where a new file cannot take its place, because it would belong to another user or because the file is mounted by
/// itself into a container, the old one is written over, and the new one stays until that is done: who opens a torn
/// file finds the whole one beside it.
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
        let io_error = |source| FileError::Io { path: path.into(), source };
        let canonical = fs::canonicalize(path).map_err(io_error)?;
        let eeprom = match parse(&content) {
            Some(eeprom) => eeprom,
            None => mend(&file, &canonical)
                .map_err(io_error)?
                .ok_or_else(|| FileError::Corrupt { path: path.into() })?,
        };
        Ok(Self { eeprom, path: canonical, file })
    }

    /// Whether what a chip in the file `path` writes can be saved, as far as can be told without writing it. A chip
    /// that cannot save refuses the command, and has no status to say why.
    ///
    /// # Errors
    /// When no file can be made beside it.
    pub fn check_saving(path: &Path) -> Result<(), FileError> {
        let unsaved = |source| FileError::Unsaved { path: path.into(), source };
        let beside = beside(&fs::canonicalize(path).map_err(unsaved)?);
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside) {
            Ok(_) => fs::remove_file(&beside).map_err(unsaved),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(unsaved(error)),
        }
    }

    /// What the file holds.
    pub const fn eeprom(&self) -> &Eeprom {
        &self.eeprom
    }

    /// A new file with this content, locked and on the disk, under a name of its own; and whether it has the owner
    /// and the group of the old one.
    fn write_beside(&self, beside: &Path, eeprom: &Eeprom) -> io::Result<(File, bool)> {
        let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(beside)?;
        let (old, new) = (self.file.metadata()?, file.metadata()?);
        let is_same_owner = (old.uid(), old.gid()) == (new.uid(), new.gid())
            || fchown(&file, Some(old.uid()), Some(old.gid())).is_ok();
        if is_same_owner {
            file.set_permissions(old.permissions())?;
        }
        file.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => io::ErrorKind::ResourceBusy.into(),
        })?;
        file.write_all(&content(eeprom))?;
        file.sync_all()?;
        Ok((file, is_same_owner))
    }

    /// Saves with the help of the file `beside`, which is not there before, nor afterwards unless this fails.
    fn replace(&mut self, beside: &Path, eeprom: &Eeprom) -> io::Result<()> {
        let (file, is_same_owner) = self.write_beside(beside, eeprom)?;
        if is_same_owner {
            match fs::rename(beside, &self.path) {
                Ok(()) => {
                    self.file = file;
                    return Ok(());
                }
                // The file is a mount of its own.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices
                    ) => {}
                Err(error) => return Err(error),
            }
        }
        overwrite(&self.file, &content(eeprom))?;
        // What stays there is not looked at while the file is whole.
        let _ = fs::remove_file(beside);
        Ok(())
    }
}

impl Storage for EepromFile {
    fn save(&mut self, eeprom: &Eeprom) -> io::Result<()> {
        if !is_named(&self.file, &self.path)? {
            return Err(io::Error::other("another file has taken the place of the chip's"));
        }
        let beside = beside(&self.path);
        // One that a crash left behind: only the owner of the lock makes them.
        let saved = match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => self.replace(&beside, eeprom),
        };
        if let Err(source) = saved {
            if parse_file(&self.file).is_some() {
                // The first error is the one to tell.
                let _ = fs::remove_file(&beside);
            }
            let kind = source.kind();
            return Err(io::Error::new(kind, FileError::Unsaved { path: self.path.clone(), source }));
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

/// The name of the file that a save makes beside `path`.
fn beside(path: &Path) -> PathBuf {
    let mut beside = path.to_path_buf().into_os_string();
    beside.push(SAVING);
    beside.into()
}

/// Writes `content` over what is in `file`, which is as long.
fn overwrite(file: &File, content: &[u8]) -> io::Result<()> {
    file.write_all_at(content, 0)?;
    file.sync_all()
}

/// What `file` holds, if that is a whole EEPROM.
fn parse_file(file: &File) -> Option<Eeprom> {
    let mut content = Zeroizing::new(vec![0; FILE]);
    file.read_exact_at(&mut content, 0).ok()?;
    let is_whole = file.metadata().is_ok_and(|metadata| metadata.len() == FILE as u64);
    if is_whole { parse(&content) } else { None }
}

/// Mends a file that was torn while it was written over, with what lies beside it. That has to be of the same owner,
/// of this user or of root: in a folder that others may write to, anybody could lay something there.
fn mend(file: &File, path: &Path) -> io::Result<Option<Eeprom>> {
    let beside = beside(path);
    let Ok(whole) = File::open(&beside) else { return Ok(None) };
    let (torn, by) = (file.metadata()?, whole.metadata()?);
    // Of /proc/self the owner is the effective user.
    let is_trusted = by.uid() == 0 || by.uid() == torn.uid() || by.uid() == fs::metadata("/proc/self")?.uid();
    let Some(eeprom) = parse_file(&whole).filter(|_| is_trusted && torn.len() == FILE as u64) else {
        return Ok(None);
    };
    overwrite(file, &content(&eeprom))?;
    tracing::warn!(path = %path.display(), "the emulated chip was torn by a loss of power, and has been mended");
    // It is of no more use; a save removes it otherwise.
    let _ = fs::remove_file(&beside);
    Ok(Some(eeprom))
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
