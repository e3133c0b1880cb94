//! A pseudo-terminal as a stream of the protocol, with a clock that runs fast.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use atecc::link::Stream;
use serial2::SerialPort;

/// The protocol's seconds pass so many times faster than the world's: it waits for lost frames most of the time.
pub(super) const HASTE: u32 = 40;

/// Frames that were written by any end.
pub(super) static FRAMES: AtomicU64 = AtomicU64::new(0);

/// One end of a pseudo-terminal.
pub(super) struct Terminal {
    pub(super) port: SerialPort,
    start: Instant,
}

impl Terminal {
    pub(super) fn new(mut port: SerialPort) -> io::Result<Self> {
        let mut settings = port.get_configuration()?;
        settings.set_raw();
        port.set_configuration(&settings)?;
        port.set_write_timeout(Duration::from_secs(5))?;
        Ok(Self { port, start: Instant::now() })
    }
}

impl Stream for Terminal {
    type Error = io::Error;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        // A terminal cannot wait for less than a millisecond.
        self.port.set_read_timeout((limit / HASTE).max(Duration::from_millis(1)))?;
        match self.port.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(0),
            result => result,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        FRAMES.fetch_add(1, Ordering::Relaxed);
        self.port.write_all(bytes)
    }

    fn now(&mut self) -> Duration {
        self.start.elapsed() * HASTE
    }
}
