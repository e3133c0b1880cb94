//! The bus on the far side of the socket.

use std::{
    fs,
    io::{self, Write},
    net::Shutdown,
    os::{
        fd::OwnedFd,
        unix::{
            fs::{FileTypeExt, MetadataExt},
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use embedded_hal::i2c::{I2c, Operation};

use super::wire::{self, Request, Transfer};
use crate::Bus;

/// Pause after a failure to accept, which most often lasts.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long an answer may wait for a client that does not read.
const WRITE_PATIENCE: Duration = Duration::from_secs(5);

/// Clients at a time, each of which has a thread and a file. More processes than a machine has for one chip; without
/// a bound, one user could take all threads and files of the server's.
pub const MAX_CLIENTS: usize = 256;

/// Offers a bus on a Unix socket, to up to [`MAX_CLIENTS`] clients at a time.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    socket: PathBuf,
    /// Device and inode: the name may belong to another server later.
    file: (u64, u64),
    is_stopped: AtomicBool,
}

impl Server {
    /// Listens on `socket`. One that a dead server left behind is replaced; anything else is left alone.
    ///
    /// # Errors
    /// When another server listens there, something that is no socket is there, or it cannot be made.
    pub fn bind(socket: &Path) -> Result<Self, ServeError> {
        let io_error = |source| ServeError::Io { path: socket.into(), source };
        if let Ok(metadata) = fs::symlink_metadata(socket) {
            if !metadata.file_type().is_socket() {
                return Err(ServeError::NotASocket { path: socket.into() });
            }
            match UnixStream::connect(socket) {
                Ok(_) => return Err(ServeError::InUse { path: socket.into() }),
                // Nobody listens any more.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    fs::remove_file(socket).map_err(io_error)?;
                }
                Err(error) => return Err(io_error(error)),
            }
        }
        let listener = UnixListener::bind(socket).map_err(io_error)?;
        let file = identity(socket).map_err(io_error)?;
        Ok(Self { listener, socket: socket.into(), file, is_stopped: AtomicBool::new(false) })
    }

    /// Serves `bus` until [`stop`](Self::stop), a thread per client; a transfer holds the bus while it lasts.
    ///
    /// A client too many is turned away, or one for which the system has no file or thread left; the others go on.
    pub fn run(&self, bus: Bus) {
        let bus = Mutex::new(bus);
        self.run_each(move |stream| serve_client(stream, &bus));
    }

    /// As [`run`](Self::run), for another service on a socket: `serve` is called for each client, in its thread.
    pub fn run_each(&self, serve: impl Fn(UnixStream) -> io::Result<()> + Send + Sync + 'static) {
        let serve = Arc::new(serve);
        let clients = Arc::new(());
        for stream in self.listener.incoming() {
            if self.is_stopped.load(Ordering::Acquire) {
                break;
            }
            let stream = match stream {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a client of the emulated bus could not be accepted");
                    thread::sleep(ACCEPT_PAUSE);
                    continue;
                }
            };
            // Each client holds one, and this loop.
            if Arc::strong_count(&clients) > MAX_CLIENTS {
                tracing::warn!("a client of the emulated bus was turned away: there are {MAX_CLIENTS}");
                continue;
            }
            let (serve, place) = (Arc::clone(&serve), Arc::clone(&clients));
            let client = thread::Builder::new().spawn(move || {
                if let Err(error) = serve(stream)
                    && error.kind() != io::ErrorKind::UnexpectedEof
                {
                    tracing::debug!(%error, "a client of the emulated bus was dropped");
                }
                drop(place);
            });
            if let Err(error) = client {
                tracing::warn!(%error, "a client of the emulated bus was turned away");
            }
        }
    }

    /// Makes [`run`](Self::run) return. Clients that are connected are dropped with the process.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Release);
        // Accepting blocks; a listener that is shut down ends it, whoever has its name by now.
        if let Ok(listener) = self.listener.try_clone() {
            let _ = UnixStream::from(OwnedFd::from(listener)).shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Somebody else may have removed it already, and made one of their own.
        if identity(&self.socket).is_ok_and(|file| file == self.file) {
            let _ = fs::remove_file(&self.socket);
        }
    }
}

/// Device and inode of what has this name.
fn identity(socket: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(socket).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Answers one client until it goes or sends something that is no request.
fn serve_client(mut stream: UnixStream, bus: &Mutex<Bus>) -> io::Result<()> {
    stream.set_write_timeout(Some(WRITE_PATIENCE))?;
    stream.write_all(wire::GREETING)?;
    loop {
        let mut request = wire::decode(&mut stream)?;
        let answer = transfer(&mut request, bus);
        stream.write_all(&answer)?;
    }
}

fn transfer(request: &mut Request, bus: &Mutex<Bus>) -> Vec<u8> {
    let mut operations: Vec<Operation<'_>> = request
        .operations
        .iter_mut()
        .map(|operation| match operation {
            Transfer::Write(data) => Operation::Write(data),
            Transfer::Read(buffer) => Operation::Read(buffer),
        })
        .collect();
    // A client that panicked cannot have left the bus in a state that a chip would not know.
    let mut bus = bus.lock().unwrap_or_else(PoisonError::into_inner);
    if bus.transaction(request.address, &mut operations).is_err() {
        return vec![wire::NO_ACKNOWLEDGE];
    }
    let mut answer = vec![wire::DONE];
    for operation in &operations {
        if let Operation::Read(buffer) = operation {
            answer.extend_from_slice(buffer);
        }
    }
    answer
}

/// Why the bus could not be offered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Another server has the socket.
    #[error("another emulated bus is served on {path}; stop it or choose another socket", path = path.display())]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// The name belongs to something else.
    #[error("{path} exists and is not a socket; choose another name", path = path.display())]
    NotASocket {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot serve on {path}: {source}", path = path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        sync::mpsc,
        time::{Duration, Instant},
    };

    use super::*;
    use crate::{Chip, Clock, Pace, provision};

    fn bus() -> Bus {
        let chip = Chip::new(provision::tng_tls().unwrap(), Pace::Typical);
        Bus::new(chip, Clock::new_virtual(), Bus::STANDARD_HERTZ)
    }

    /// Whether the server greets.
    fn is_welcome(mut client: &UnixStream) -> bool {
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut greeting = [0; wire::GREETING.len()];
        client.read_exact(&mut greeting).is_ok() && &greeting == wire::GREETING
    }

    #[test]
    fn a_server_removes_its_own_socket_only() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("bus.sock");
        let first = Server::bind(&socket).unwrap();
        fs::remove_file(&socket).unwrap();
        let second = Server::bind(&socket).unwrap();
        drop(first);
        assert!(socket.exists());
        drop(second);
        assert!(!socket.exists());
    }

    #[test]
    fn a_server_whose_name_another_one_has_can_be_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("bus.sock");
        let first = Arc::new(Server::bind(&socket).unwrap());
        let (ended, end) = mpsc::channel();
        let running = Arc::clone(&first);
        thread::spawn(move || {
            running.run(bus());
            ended.send(()).unwrap();
        });
        assert!(is_welcome(&UnixStream::connect(&socket).unwrap()));
        fs::remove_file(&socket).unwrap();
        let _second = Server::bind(&socket).unwrap();
        first.stop();
        end.recv_timeout(Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn a_client_too_many_is_turned_away_until_another_one_goes() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("bus.sock");
        let server = Server::bind(&socket).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| server.run(bus()));
            let connect = || UnixStream::connect(&socket).unwrap();
            let mut clients: Vec<UnixStream> = (0..MAX_CLIENTS).map(|_| connect()).collect();
            let all = clients.iter().all(is_welcome);
            let one_more = is_welcome(&connect());
            clients.pop();
            let deadline = Instant::now() + Duration::from_secs(10);
            while !is_welcome(&connect()) && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(10));
            }
            let in_time = Instant::now() < deadline;
            server.stop();
            assert!(all && !one_more && in_time, "{all} {one_more} {in_time}");
        });
    }
}
