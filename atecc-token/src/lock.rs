//! One lock per bus, for all processes.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::Error;

/// How long a transaction waits for others. Each of them holds the bus for about a tenth of a second, so this is
/// a queue of hundreds.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks at a taken lock: short beside a transaction, so that the bus is not idle for long.
const POLL: Duration = Duration::from_millis(1);

/// An advisory lock (flock) on a file that all users of a bus can open.
///
/// It covers the bus, not the chip: the wake pulse at address 0 reaches every chip on it. The file is closed on
/// exec, and the lock goes with the last process that has it open, however that ends.
#[derive(Debug)]
pub(crate) struct BusLock {
    path: PathBuf,
    file: File,
}

impl BusLock {
    /// The lock of the bus behind the device node `node`: the node itself, whatever name leads to it, so that
    /// whoever may use the bus may lock it.
    pub(crate) fn on_node(node: &Path) -> Result<Self, Error> {
        let error = |source| Error::I2cNode { node: node.into(), source };
        let path = node.canonicalize().map_err(error)?;
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(error)?;
        Ok(Self { path, file })
    }

    /// The lock of the emulated bus on `socket`: a file beside it, since a socket cannot be opened.
    pub(crate) fn beside_socket(socket: &Path) -> Result<Self, LockError> {
        let mut path = socket.canonicalize().unwrap_or_else(|_| socket.into()).into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let opened =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o666).open(&path);
        match opened {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(LockError::Unusable { path, source }),
        }
    }

    /// Waits for the lock, at most half a minute; dropping the guard frees it.
    pub(crate) fn acquire(&self) -> Result<Guard<'_>, LockError> {
        let start = Instant::now();
        loop {
            match self.file.try_lock() {
                Ok(()) => return Ok(Guard(&self.file)),
                Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => thread::sleep(POLL),
                Err(TryLockError::WouldBlock) => {
                    return Err(LockError::Timeout { path: self.path.clone(), seconds: PATIENCE.as_secs() });
                }
                Err(TryLockError::Error(source)) => {
                    return Err(LockError::Unusable { path: self.path.clone(), source });
                }
            }
        }
    }
}

/// The bus is ours.
#[derive(Debug)]
pub(crate) struct Guard<'a>(&'a File);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        // Unlocking an open, locked file does not fail; closing it would free it as well.
        let _ = self.0.unlock();
    }
}

/// Why the bus could not be locked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The file cannot be opened or locked.
    #[error("the lock of the bus, {path}, cannot be used: {source}", path = path.display())]
    Unusable {
        /// The locked file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody else held the bus for too long.
    #[error(
        "another program has held the bus for {seconds} s; `fuser {path}` names it",
        path = path.display()
    )]
    Timeout {
        /// The locked file.
        path: PathBuf,
        /// How long this one waited.
        seconds: u64,
    },
}
