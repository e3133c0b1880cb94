//! A Unix socket as a stream of the protocol.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::{Duration, Instant},
};

use atecc::link::Stream;

/// How long the other side may take to accept a frame.
const WRITE_LIMIT: Duration = Duration::from_secs(3);

pub(super) struct Socket {
    stream: UnixStream,
    start: Instant,
}

impl Socket {
    pub(super) fn connect(path: &Path) -> io::Result<Self> {
        Self::new(UnixStream::connect(path)?)
    }

    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_write_timeout(Some(WRITE_LIMIT))?;
        Ok(Self { stream, start: Instant::now() })
    }
}

impl Stream for Socket {
    type Error = io::Error;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        // A limit of zero would mean none.
        self.stream.set_read_timeout(Some(limit.max(Duration::from_millis(1))))?;
        match self.stream.read(buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(0)
            }
            result => result,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    fn now(&mut self) -> Duration {
        self.start.elapsed()
    }
}
