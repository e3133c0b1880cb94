//! The log of a bus: a line for everything that happens, without the bytes of keys and messages.

use std::{
    fmt,
    io::Write,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use atecc::packet::Packet;

use crate::chip::Executed;

/// Where the lines go, besides the trace.
#[derive(Clone, Default)]
pub(super) struct Log(Option<Arc<Mutex<dyn Write + Send>>>);

impl Log {
    pub(super) fn to(writer: impl Write + Send + 'static) -> Self {
        Self(Some(Arc::new(Mutex::new(writer))))
    }

    /// Writes one line: the time of the bus's clock at the end of the event, how long the event took the bus, and
    /// what it was.
    pub(super) fn line(&self, now: Duration, took: Duration, event: &Event<'_>) {
        tracing::trace!(?now, ?took, %event, "bus");
        if let Some(writer) = &self.0 {
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            let (seconds, milliseconds) = (now.as_secs_f64(), 1_000.0 * took.as_secs_f64());
            // A log that cannot be written is no reason to stop the bus.
            let _ = writeln!(writer, "{seconds:12.6} {milliseconds:8.3}  {event}");
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Log" } else { "None" })
    }
}

/// What can happen on a bus.
pub(super) enum Event<'a> {
    /// Address 0; `is_long` if the pulse was long enough to wake a chip.
    Wake { is_long: bool },
    /// Nobody acknowledged this address.
    Refused { address: u8, is_read: bool },
    /// So many bytes were written, and perhaps they were the last of a command.
    Written { address: u8, bytes: &'a [u8], executed: Option<&'a Executed> },
    /// So many bytes were read.
    Read { address: u8, bytes: usize },
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wake { is_long: true } => f.write_str("wake"),
            Self::Wake { is_long: false } => f.write_str("wake pulse too short"),
            Self::Refused { address, is_read } => {
                write!(f, "0x{address:02x} {} not acknowledged", if *is_read { "read" } else { "write" })
            }
            Self::Read { address, bytes } => write!(f, "0x{address:02x} read {bytes} bytes"),
            Self::Written { address, bytes, executed: None } => match bytes {
                [0x00, ..] => write!(f, "0x{address:02x} reset"),
                [0x01, ..] => write!(f, "0x{address:02x} sleep"),
                [0x02, ..] => write!(f, "0x{address:02x} idle"),
                _ => write!(f, "0x{address:02x} write {} bytes", bytes.len()),
            },
            Self::Written { address, bytes, executed: Some(Executed { packet, status, busy }) } => {
                let (length, name, milliseconds) = (bytes.len(), Name(packet), 1_000.0 * busy.as_secs_f64());
                write!(
                    f,
                    "0x{address:02x} write {length} bytes: {name}, {status:?} after {milliseconds:.1} ms"
                )
            }
        }
    }
}

/// A command by its name and parameters, which its `Debug` shows without the data.
struct Name<'a>(&'a Packet);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}
