//! One lock per bus, for all processes.

mod mounts;

use std::{
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, fcntl},
    libc,
};

use crate::Error;

/// How long a transaction waits for others. Each of them holds the bus for about a tenth of a second, so this is
/// a queue of hundreds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Places in the queue for the lock. Who comes when all are taken waits in no order for the last.
const QUEUE: libc::off_t = 16;
/// Pause between two looks at a taken lock: short beside a transaction, so that the bus is not idle for long.
const POLL: Duration = Duration::from_millis(1);

/// An advisory lock (flock) on a file that all users of a bus can open.
///
/// It covers the bus, not the chip: the wake pulse at address 0 reaches every chip on it. The file is closed on
/// exec, and the lock goes with the last process that has it open, however that ends.
#[derive(Debug)]
pub(crate) struct BusLock {
    /// As it was named: a link may lead to another bus later.
    name: PathBuf,
    path: PathBuf,
    file: File,
}

impl BusLock {
    /// The lock of the bus behind the device node `node`: the node itself, whatever name leads to it, so that
    /// whoever may use the bus may lock it.
    pub(crate) fn on_node(node: &Path) -> Result<Self, Error> {
        Self::on_device(node, 0, |source| Error::I2cNode { node: node.into(), source })
    }

    /// The lock of the serial port `node`, as [`on_node`](Self::on_node). The port is neither waited for nor made the
    /// terminal of this process.
    pub(crate) fn on_tty(node: &Path) -> Result<Self, Error> {
        let flags = libc::O_NOCTTY | libc::O_NONBLOCK;
        Self::on_device(node, flags, |source| Error::SerialPort { node: node.into(), source })
    }

    fn on_device(
        node: &Path,
        flags: libc::c_int,
        error: impl Fn(io::Error) -> Error + Copy,
    ) -> Result<Self, Error> {
        let path = node.canonicalize().map_err(error)?;
        let file =
            OpenOptions::new().read(true).write(true).custom_flags(flags).open(&path).map_err(error)?;
        let metadata = file.metadata().map_err(error)?;
        if metadata.file_type().is_char_device() && !mounts::is_of_the_host(metadata.dev()) {
            return Err(Error::PrivateNode { node: node.into() });
        }
        Ok(Self { name: node.into(), path, file })
    }

    /// The canonical name of what is locked.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The lock of the emulated bus on `socket`: a file beside it, since a socket cannot be opened.
    pub(crate) fn beside_socket(socket: &Path) -> Result<Self, LockError> {
        let mut path = socket.canonicalize().unwrap_or_else(|_| socket.into()).into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        match open_or_create(&path, socket) {
            Ok(file) => Ok(Self { name: path.clone(), path, file }),
            Err(source) => Err(LockError::Unusable { path, source }),
        }
    }

    /// Whether the name still leads to what is locked. An adapter that was pulled and put back has a new node, whose
    /// lock is another one. Who cannot look at the name any more (after chroot(2)) goes on, as long as the node has
    /// not been removed.
    pub(crate) fn is_current(&self) -> bool {
        match (fs::metadata(&self.name), self.file.metadata()) {
            (Ok(named), Ok(opened)) => (named.dev(), named.ino()) == (opened.dev(), opened.ino()),
            (Err(_), Ok(opened)) => opened.nlink() > 0,
            (_, Err(_)) => false,
        }
    }

    /// Waits for the lock, at most half a minute; dropping the guard frees it.
    pub(crate) fn acquire(&self) -> Result<Guard<'_>, LockError> {
        self.acquire_within(PATIENCE)
    }

    /// As [`acquire`](Self::acquire), for `patience` at most.
    ///
    /// Who waits stands in a queue: places are bytes of the same file, each locked (fcntl, for the open file) by
    /// whoever stands there, and one moves up when the place in front is free. Without a queue, the process that
    /// frees the bus would take it again before anybody else looks.
    pub(crate) fn acquire_within(&self, patience: Duration) -> Result<Guard<'_>, LockError> {
        let start = Instant::now();
        for place in (0..QUEUE).rev() {
            let taken = self.poll(start, patience, || match self.queue(libc::F_WRLCK, place) {
                Ok(()) => Ok(()),
                Err(Errno::EAGAIN | Errno::EACCES) => Err(TryLockError::WouldBlock),
                Err(error) => Err(TryLockError::Error(error.into())),
            });
            self.leave(place + 1);
            taken?;
        }
        let locked = self.poll(start, patience, || self.file.try_lock());
        self.leave(0);
        locked.map(|()| Guard(&self.file))
    }

    /// Frees a place in the queue, if it is ours. That does not fail.
    fn leave(&self, place: libc::off_t) {
        let _ = self.queue(libc::F_UNLCK, place);
    }

    /// Takes (F_WRLCK) or frees (F_UNLCK) a place in the queue; 0 is the first.
    fn queue(&self, operation: libc::c_int, place: libc::off_t) -> Result<(), Errno> {
        let byte = libc::flock {
            l_type: operation as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: place,
            l_len: 1,
            // Must be zero for locks of the open file (fcntl(2)).
            l_pid: 0,
        };
        fcntl(&self.file, FcntlArg::F_OFD_SETLK(&byte)).map(drop)
    }

    fn poll(
        &self,
        start: Instant,
        patience: Duration,
        try_lock: impl Fn() -> Result<(), TryLockError>,
    ) -> Result<(), LockError> {
        loop {
            match try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => thread::sleep(POLL),
                Err(TryLockError::WouldBlock) => {
                    return Err(LockError::Timeout { path: self.path.clone(), seconds: patience.as_secs() });
                }
                Err(TryLockError::Error(source)) => {
                    return Err(LockError::Unusable { path: self.path.clone(), source });
                }
            }
        }
    }
}

/// Opens the lock file of a socket. Its first user makes it, for whoever may use the socket. To ask for it to be
/// made when it is there would fail for others in a sticky folder (fs.protected_regular in proc(5)).
fn open_or_create(path: &Path, socket: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    // It appears with its rights, so that nobody who may use it finds it closed; who comes second takes the first's.
    let mut own = path.as_os_str().to_owned();
    own.push(format!(".{:08x}", getrandom::u32().map_err(io::Error::from)?));
    let file = options.create_new(true).mode(0o600).open(&own)?;
    // A socket is used by those who may write to it.
    let mode = fs::metadata(socket).map_or(0o600, |socket| socket.mode() & 0o222);
    let made = file
        .set_permissions(Permissions::from_mode(0o600 | mode | mode << 1))
        .and_then(|()| fs::hard_link(&own, path));
    fs::remove_file(&own)?;
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.create_new(false).open(path),
        made => made.map(|()| file),
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
    /// The file is made anew again and again.
    #[error("the lock of the bus, {path}, does not stay the same file; who replaces it?", path = path.display())]
    Replaced {
        /// The locked file.
        path: PathBuf,
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

#[cfg(test)]
mod tests {
    use std::{
        os::unix::fs::symlink,
        sync::{
            Barrier, Mutex,
            atomic::{AtomicU32, Ordering},
        },
    };

    use super::*;

    /// A file stands for the device node, and a link to it for its name below /dev/i2c/by-path.
    #[test]
    fn many_who_come_first_share_one_lock_file() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("bus.sock");
        fs::write(&socket, "").unwrap();
        fs::set_permissions(&socket, Permissions::from_mode(0o620)).unwrap();
        let start = Barrier::new(8);
        let open = || {
            start.wait();
            let lock = BusLock::beside_socket(&socket).unwrap();
            (lock.file.metadata().unwrap().ino(), lock.is_current())
        };
        let locks: Vec<_> = thread::scope(|scope| {
            let openers: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            openers.into_iter().map(|opener| opener.join().unwrap()).collect()
        });
        assert!(locks.iter().all(|lock| *lock == (locks[0].0, true)), "{locks:?}");
        // The lock with the rights of the socket, and nothing else beside it.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        let mode = fs::metadata(folder.path().join("bus.sock.lock")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o660);
    }

    #[test]
    fn two_names_of_one_bus_are_one_lock() {
        let folder = tempfile::tempdir().unwrap();
        let (node, alias) = (folder.path().join("i2c-1"), folder.path().join("by-path"));
        std::fs::write(&node, "").unwrap();
        symlink(&node, &alias).unwrap();
        let (one, other) = (BusLock::on_node(&node).unwrap(), BusLock::on_node(&alias).unwrap());
        let guard = one.acquire().unwrap();
        assert!(matches!(other.file.try_lock(), Err(TryLockError::WouldBlock)));
        drop(guard);
        other.acquire().unwrap();
    }

    #[test]
    fn who_waits_longest_is_next() {
        let folder = tempfile::tempdir().unwrap();
        let node = folder.path().join("i2c-1");
        std::fs::write(&node, "").unwrap();
        let users: Vec<BusLock> = (0..5).map(|_| BusLock::on_node(&node).unwrap()).collect();
        let (order, arrived) = (Mutex::new(Vec::new()), AtomicU32::new(0));
        let guard = users[0].acquire().unwrap();
        thread::scope(|scope| {
            for (number, user) in users.iter().enumerate().skip(1) {
                let (order, arrived) = (&order, &arrived);
                scope.spawn(move || {
                    arrived.fetch_add(1, Ordering::SeqCst);
                    let _guard = user.acquire().unwrap();
                    order.lock().unwrap().push(number);
                });
                // The next one comes when this one stands in the queue.
                while arrived.load(Ordering::SeqCst) < number as u32 {
                    thread::yield_now();
                }
                thread::sleep(POLL * 100);
            }
            drop(guard);
        });
        assert_eq!(*order.lock().unwrap(), [1, 2, 3, 4]);
    }
}
