//! The buses that a spec can name, as one type.

mod linux;
mod wire;

use std::{fmt, path::Path, time::Duration};

use atecc::SerialNumber;
use atecc_emulator::{Bus, BusError, Chip, Clock, EepromFile, Pace, socket::SocketBus};
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
use linux::LinuxBus;
pub use linux::LinuxFault;
pub(crate) use wire::Wire;

use crate::{
    DeviceSpec, Error,
    lock::{BusLock, LockError},
    serial::Bridge,
};

/// How long an emulated chip's file may be in use by a program that is about to end.
const FILE_PATIENCE: Duration = Duration::from_secs(2);

/// An open way to a chip.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) transport: Wire,
    /// Between processes; a chip inside of this process has its file locked instead.
    pub(crate) lock: Option<BusLock>,
    pub(crate) is_emulated: bool,
}

impl Way {
    /// Opens what `spec` names. The chip is not spoken to; a bridge is, which says whether its chip is
    /// emulated.
    pub(crate) fn open(spec: &DeviceSpec) -> Result<Self, Error> {
        match spec {
            DeviceSpec::Emulator { path, is_clock_virtual } => in_process(path, *is_clock_virtual),
            DeviceSpec::EmulatedBus { socket, address } => {
                let bus = SocketBus::connect(socket)
                    .map_err(|source| Error::EmulatedBus { socket: socket.clone(), source })?;
                Ok(Self {
                    transport: Wire::i2c(AnyBus::Socket(bus), Clock::real(), *address),
                    lock: Some(BusLock::beside_socket(socket)?),
                    is_emulated: true,
                })
            }
            DeviceSpec::I2c { node, address } => {
                let lock = BusLock::on_node(node)?;
                let bus = LinuxBus::open(lock.path())
                    .map_err(|source| Error::I2cNode { node: node.clone(), source })?;
                Ok(Self {
                    transport: Wire::i2c(AnyBus::Linux(bus), Clock::real(), *address),
                    lock: Some(lock),
                    is_emulated: false,
                })
            }
            DeviceSpec::Serial { node, rate } => {
                let (bridge, lock, is_emulated) = Bridge::on_port(node, *rate)?;
                Ok(Self { transport: Wire::Link(Box::new(bridge)), lock: Some(lock), is_emulated })
            }
            DeviceSpec::Socket { path } => {
                let (bridge, is_emulated) = Bridge::on_socket(path)?;
                Ok(Self { transport: Wire::Link(Box::new(bridge)), lock: None, is_emulated })
            }
            #[cfg(feature = "rppal")]
            DeviceSpec::Rppal { bus, address } => {
                let node = std::path::PathBuf::from(format!("/dev/i2c-{bus}"));
                let lock = BusLock::on_node(&node)?;
                let bus = rppal::i2c::I2c::with_bus(*bus)
                    .map_err(|source| Error::I2cNode { node, source: std::io::Error::other(source) })?;
                Ok(Self {
                    transport: Wire::i2c(AnyBus::Rppal(bus), Clock::real(), *address),
                    lock: Some(lock),
                    is_emulated: false,
                })
            }
        }
    }
}

fn in_process(path: &Path, is_clock_virtual: bool) -> Result<Way, Error> {
    let file = EepromFile::open(path, FILE_PATIENCE)?;
    let clock = if is_clock_virtual { Clock::new_virtual() } else { Clock::real() };
    // The chip keeps the file, locked, and saves in it what is written.
    let chip = Chip::from_file(file, Pace::Typical);
    let address = chip.i2c_address();
    let bus = Bus::new(chip, clock.clone(), Bus::STANDARD_HERTZ);
    Ok(Way {
        transport: Wire::i2c(AnyBus::InProcess(Box::new(bus)), clock, address),
        lock: None,
        is_emulated: true,
    })
}

/// Any of the buses.
pub(crate) enum AnyBus {
    InProcess(Box<Bus>),
    Socket(SocketBus),
    Linux(LinuxBus),
    #[cfg(feature = "rppal")]
    Rppal(rppal::i2c::I2c),
    /// It was pulled. As long as a program has it open, the kernel does not let it go, and no new one comes.
    Closed,
}

impl fmt::Debug for AnyBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InProcess(_) => "InProcess",
            Self::Socket(_) => "Socket",
            Self::Linux(_) => "Linux",
            #[cfg(feature = "rppal")]
            Self::Rppal(_) => "Rppal",
            Self::Closed => "Closed",
        })
    }
}

impl ErrorType for AnyBus {
    type Error = BusFault;
}

impl I2c for AnyBus {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), BusFault> {
        match self {
            Self::InProcess(bus) => bus.transaction(address, operations).map_err(BusFault::Emulated),
            Self::Socket(bus) => bus.transaction(address, operations).map_err(BusFault::Emulated),
            Self::Linux(bus) => bus.transaction(address, operations).map_err(BusFault::Linux),
            #[cfg(feature = "rppal")]
            Self::Rppal(bus) => {
                embedded_hal::i2c::I2c::transaction(bus, address, operations).map_err(BusFault::Rppal)
            }
            Self::Closed => Err(BusFault::Closed),
        }
    }
}

/// Why a transaction did not take place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The bus belongs to somebody else.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The bus or the chip on it.
    #[error(transparent)]
    Bus(atecc::i2c::Error<BusFault>),
    /// The bridge, or the line to it.
    #[error(transparent)]
    Link(#[from] atecc::link::Error<std::io::Error>),
    /// The chip that answers is not the one that was opened. It was told nothing but to give its serial number.
    #[error("another chip is on this bus now ({found}, not {expected}); open it again")]
    AnotherChip {
        /// The chip that was opened.
        expected: SerialNumber,
        /// The one that is there.
        found: SerialNumber,
    },
    /// The bus was pulled, or made anew, and cannot be opened again. The next call tries again.
    #[error(transparent)]
    NotReopened(Box<Error>),
    /// The emulated bus has gone; it is looked for again at the next call.
    #[error("the emulated bus is gone ({0}); is `atecc emulator serve` running?")]
    Gone(BusError),
}

impl TransportError {
    /// Whether the way itself broke, and must be opened anew.
    pub(crate) const fn is_broken(&self) -> bool {
        use atecc::link::Error;
        matches!(self, Self::Link(Error::Stream(_) | Error::NoBridge | Error::NoAnswer { .. }))
    }
}

impl From<atecc::i2c::Error<BusFault>> for TransportError {
    fn from(error: atecc::i2c::Error<BusFault>) -> Self {
        use atecc::i2c::Error;
        match error {
            Error::Bus(BusFault::Emulated(gone @ BusError::Gone(_)))
            | Error::NoAnswer { source: Some(BusFault::Emulated(gone @ BusError::Gone(_))), .. }
            | Error::Timeout { source: BusFault::Emulated(gone @ BusError::Gone(_)), .. } => Self::Gone(gone),
            error => Self::Bus(error),
        }
    }
}

/// What the bus said when a transfer failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BusFault {
    /// An emulated bus.
    #[error(transparent)]
    Emulated(BusError),
    /// The kernel's I2C bus.
    #[error(transparent)]
    Linux(LinuxFault),
    /// The I2C bus of a Raspberry Pi.
    #[cfg(feature = "rppal")]
    #[error(transparent)]
    Rppal(rppal::i2c::Error),
    /// The bus was pulled.
    #[error("the bus is gone")]
    Closed,
}

impl embedded_hal::i2c::Error for BusFault {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Emulated(error) => embedded_hal::i2c::Error::kind(error),
            Self::Linux(error) => embedded_hal::i2c::Error::kind(error),
            Self::Closed => ErrorKind::Bus,
            #[cfg(feature = "rppal")]
            Self::Rppal(_) => ErrorKind::NoAcknowledge(embedded_hal::i2c::NoAcknowledgeSource::Unknown),
        }
    }
}
