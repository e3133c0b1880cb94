//! The file of the store: read within limits, and replaced at once.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use nix::unistd::{AccessFlags, eaccess};

use super::format::{Contents, FormatError};
use crate::error::Error;

/// Longest file.
const LONGEST: u64 = 256 * 1024;
/// How long a writer waits for another, who needs milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);
/// For the owner alone. Who shares the store gives it other rights, which are kept.
const MODE: u32 = 0o600;

/// Why the store cannot be used; the sentence goes to the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("{path} cannot be {what}: {source}", path = path.display())]
    Io { path: PathBuf, what: &'static str, source: io::Error },
    #[error(
        "{path} is longer than {LONGEST} bytes, which no store of this module is; move it out of the way, or let \
         `store` in the table [pkcs11] of the configuration name another file",
        path = path.display()
    )]
    TooLong { path: PathBuf },
    #[error("{path}: {source}; mend it, or move it out of the way to begin anew", path = path.display())]
    Format { path: PathBuf, source: FormatError },
    #[error("what is added does not fit into {path}: it holds {LONGEST} bytes", path = path.display())]
    Full { path: PathBuf },
    #[error("somebody has kept the lock of {folder} for {PATIENCE:?}", folder = folder.display())]
    Locked { folder: PathBuf },
}

impl StoreError {
    /// What the application hears.
    pub(super) fn kind(&self) -> Error {
        match self {
            Self::Io { what: "written", source, .. }
                if matches!(
                    source.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                Error::TokenWriteProtected
            }
            Self::Full { .. } => Error::DeviceMemory,
            _ => Error::FunctionFailed,
        }
    }
}

/// What tells one version of the file from the next: each is a file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(Option<[i64; 6]>);

pub(super) fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok();
    // The time of the last change of any kind, which no program can set back: an inode is soon used again, and a file
    // may be as long as the one before it and as old.
    Stamp(metadata.map(|file| {
        let [device, inode, size] = [file.dev(), file.ino(), file.size()].map(u64::cast_signed);
        [device, inode, size, file.mtime_nsec(), file.ctime(), file.ctime_nsec()]
    }))
}

/// What is in the file; nothing if it is not there.
pub(super) fn read(path: &Path) -> Result<Contents, StoreError> {
    let failed = |source| StoreError::Io { path: path.into(), what: "read", source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Contents::default()),
        Err(error) => return Err(failed(error)),
    };
    let mut text = String::new();
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > LONGEST {
        return Err(StoreError::TooLong { path: path.into() });
    }
    Contents::parse(&text).map_err(|source| StoreError::Format { path: path.into(), source })
}

/// Makes the folder if it is not there, and takes its lock until the result is dropped.
///
/// The folder is what all writers have in common: the file is another one after each change.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let folder = folder(path);
    let failed = |source| StoreError::Io { path: folder.into(), what: "written", source };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let lock = File::open(folder).map_err(failed)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { folder: folder.into() }),
        }
    }
}

/// Puts a file with these contents in the place of the old one. The caller holds the lock.
pub(super) fn write(path: &Path, contents: &Contents) -> Result<(), StoreError> {
    with_new_file(path, contents, |new, target| {
        fs::rename(new, target)?;
        File::open(folder(target))?.sync_all()
    })
}

/// Does all that [`write`] does but the last step, and takes it back.
pub(super) fn try_write(path: &Path, contents: &Contents) -> Result<(), StoreError> {
    with_new_file(path, contents, |new, _| fs::remove_file(new))
}

/// Makes a file with these contents beside that of the store, and does with both what the caller wants.
fn with_new_file(
    path: &Path,
    contents: &Contents,
    finish: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> Result<(), StoreError> {
    let failed = |source| StoreError::Io { path: path.into(), what: "written", source };
    let text = contents.to_text().map_err(|source| StoreError::Format { path: path.into(), source })?;
    if text.len() as u64 > LONGEST {
        return Err(StoreError::Full { path: path.into() });
    }
    // Behind a symbolic link, the file that it leads to is replaced and not the link.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let new = with_suffix(&target, ".new");
    // One that a crash left behind: nobody else is writing.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => (),
    }
    let finished = make(&new, &target, &text).and_then(|()| finish(&new, &target));
    if finished.is_err() {
        // Nothing more can be done about it.
        drop(fs::remove_file(&new));
    }
    finished.map_err(failed)
}

/// A file with this text, for those who may use `target`.
fn make(new: &Path, target: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(new)?;
    if let Ok(old) = fs::metadata(target) {
        // Who may not give it to its owner gives it to its group at least, and nobody is locked out.
        fchown(&file, Some(old.uid()), Some(old.gid())).or_else(|_| fchown(&file, None, Some(old.gid())))?;
        file.set_permissions(fs::Permissions::from_mode(old.permissions().mode() & 0o666))?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Whether this process may put a file there: into the folder, or into the first one above it that exists.
pub(super) fn is_writable(path: &Path) -> bool {
    let existing = folder(path).ancestors().find(|folder| folder.exists());
    existing.is_some_and(|folder| eaccess(folder, AccessFlags::W_OK | AccessFlags::X_OK).is_ok())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
