//! A serial port of this machine.

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use atecc::link::{BASE_RATE, Stream};
use serial2::SerialPort;

/// The rate that is tried if the spec names none: a signature's bytes take 1.3 ms at it, beside 70 in the chip, and
/// every USB adapter of the last twenty years has it.
pub const DEFAULT_RATE: u32 = 921_600;

/// How long the port may take to accept a frame.
const WRITE_LIMIT: Duration = Duration::from_secs(3);

/// Whether a line may run at `rate` baud: from the base rate up to what adapters for USB can.
pub(crate) const fn is_rate(rate: u32) -> bool {
    BASE_RATE <= rate && rate <= 4_000_000
}

/// A port that several processes have open. Its rate belongs to the port, not to the process.
pub(super) struct Port {
    port: SerialPort,
    start: Instant,
}

impl Port {
    /// Opens `node` raw, at the rate that it runs at if that is one of ours, and leaves the board running.
    ///
    /// The kernel asserts DTR and RTS together when a port is opened, which the reset circuit of an ESP32 ignores.
    /// They are released here, RTS first: RTS without DTR holds such a board in reset. Released, nothing changes
    /// when the port is closed.
    pub(super) fn open(node: &Path) -> io::Result<Self> {
        let mut port = SerialPort::open(node, |mut settings: serial2::Settings| {
            let present = settings.get_baud_rate().ok().filter(|rate| is_rate(*rate));
            settings.set_raw();
            settings.set_baud_rate(present.unwrap_or(BASE_RATE))?;
            Ok(settings)
        })?;
        port.set_write_timeout(WRITE_LIMIT)?;
        // A pseudo-terminal has no such lines.
        let _ = port.set_rts(false);
        let _ = port.set_dtr(false);
        Ok(Self { port, start: Instant::now() })
    }

    /// The rate that it runs at now, if it can tell.
    pub(super) fn rate(&self) -> Option<u32> {
        self.port.get_configuration().and_then(|settings| settings.get_baud_rate()).ok()
    }

    /// Forgets what has come in so far, such as boot text.
    pub(super) fn discard(&mut self) -> io::Result<()> {
        self.port.discard_input_buffer()
    }
}

impl Stream for Port {
    type Error = io::Error;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        let end = Instant::now() + limit;
        loop {
            // It waits in milliseconds; nothing here needs less.
            let left = end.saturating_duration_since(Instant::now());
            self.port.set_read_timeout(left.max(Duration::from_millis(1)))?;
            match self.port.read(buffer) {
                // A signal of the program, which it handles itself.
                Err(error) if error.kind() == io::ErrorKind::Interrupted && !left.is_zero() => {}
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::Interrupted) =>
                {
                    return Ok(0);
                }
                // The cable was pulled.
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                result => return result,
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.port.write_all(bytes)
    }

    fn now(&mut self) -> Duration {
        self.start.elapsed()
    }

    fn has_rate(&mut self, rate: u32) -> bool {
        is_rate(rate)
    }

    fn set_rate(&mut self, rate: u32) -> io::Result<()> {
        // The kernel waits, without limit, until everything is sent. What nobody has taken by now is of no use.
        self.port.discard_output_buffer()?;
        let mut settings = self.port.get_configuration()?;
        settings.set_baud_rate(rate)?;
        self.port.set_configuration(&settings)
    }
}
