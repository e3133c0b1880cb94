//! The bus on the far side of the socket.

use std::{
    fs,
    io::{self, Write},
    os::unix::{
        fs::FileTypeExt,
        net::{UnixListener, UnixStream},
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

/// Offers a bus on a Unix socket, to any number of clients.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    socket: PathBuf,
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
        Ok(Self { listener, socket: socket.into(), is_stopped: AtomicBool::new(false) })
    }

    /// Serves `bus` until [`stop`](Self::stop), a thread per client; a transfer holds the bus while it lasts.
    ///
    /// A client for which the system has no file or thread left is turned away; the others go on.
    pub fn run(&self, bus: Bus) {
        let bus = Arc::new(Mutex::new(bus));
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
            let bus = Arc::clone(&bus);
            let client = thread::Builder::new().spawn(move || {
                if let Err(error) = serve_client(stream, &bus)
                    && error.kind() != io::ErrorKind::UnexpectedEof
                {
                    tracing::debug!(%error, "a client of the emulated bus was dropped");
                }
            });
            if let Err(error) = client {
                tracing::warn!(%error, "a client of the emulated bus was turned away");
            }
        }
    }

    /// Makes [`run`](Self::run) return. Clients that are connected are dropped with the process.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Release);
        // Accepting blocks; a last visitor ends it. If nobody can connect, nobody can be accepted either.
        let _ = UnixStream::connect(&self.socket);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Somebody else may have removed it already.
        let _ = fs::remove_file(&self.socket);
    }
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
