//! Why a token could not do what it was asked.

use std::{io, path::PathBuf};

use atecc::{SerialNumber, Slot, Status, certificate::CertificateError, i2c, link};
use atecc_emulator::{BusError, FileError, socket::ServeError};

use crate::{
    CONFIG_FILE, DEVICE_VARIABLE, DeviceSpec, Refusal, SpecError, bus::TransportError, lock::LockError,
};

/// An error whose text says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing names a device.
    #[error(
        "no device is named; set {DEVICE_VARIABLE}, or write device = \"...\" into {CONFIG_FILE}, \
         or use the program's option --device if it has one"
    )]
    NoDevice,
    /// Several devices are configured, and this program works with one.
    #[error("{count} devices are configured; choose one with --device or {DEVICE_VARIABLE}: {list}",
        count = devices.len(), list = list(devices))]
    SeveralDevices {
        /// All of them.
        devices: Vec<DeviceSpec>,
    },
    /// What names the device is not understood.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The configuration file is not understood.
    #[error("{file}: {source}", file = file.display())]
    Config {
        /// The file.
        file: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// The configuration file is there and cannot be read.
    #[error("{file} cannot be read: {source}", file = file.display())]
    ConfigUnreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file of an emulated chip cannot be used.
    #[error(transparent)]
    EmulatorFile(#[from] FileError),
    /// The emulated bus cannot be reached.
    #[error(
        "no emulated bus on {socket} ({source}); start one with `atecc emulator serve CHIP {socket}`",
        socket = socket.display()
    )]
    EmulatedBus {
        /// The socket.
        socket: PathBuf,
        /// What failed.
        source: BusError,
    },
    /// The I2C bus of this machine cannot be opened.
    #[error("{node} cannot be opened: {source}; {advice}", node = node.display(), advice = advice(source))]
    I2cNode {
        /// The device node.
        node: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The device node is a copy, as containers get them: its lock is not that of the host.
    #[error(
        "{node} is a copy of the host's device node, so programs outside of this container would not see the \
         lock of the bus; run `atecc bridge serve i2c:{node} --listen unix:/run/atecc.sock` outside and use \
         `unix:/run/atecc.sock` here, or mount the node itself (docker run --volume {node}:{node} --device {node})",
        node = node.display()
    )]
    PrivateNode {
        /// The device node.
        node: PathBuf,
    },
    /// The serial port cannot be opened.
    #[error("{node} cannot be opened: {source}; {advice}", node = node.display(), advice = serial_advice(source))]
    SerialPort {
        /// The device node.
        node: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The socket of a bridge cannot be reached.
    #[error(
        "no bridge on {socket} ({source}); start one with `atecc bridge serve DEVICE --listen unix:{socket}`",
        socket = socket.display()
    )]
    BridgeSocket {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is on the port or the socket does not answer as a bridge.
    #[error("{place}: {source}", place = place.display())]
    Bridge {
        /// The port or socket.
        place: PathBuf,
        /// What is wrong.
        source: atecc::link::Error<io::Error>,
    },
    /// The socket for visitors cannot be made.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {source}")]
    NoRandom {
        /// What it said.
        source: io::Error,
    },
    /// Where there was a chip there is an emulated one now, or the other way round.
    #[error(
        "{spec} leads to an emulated chip now, and did not before, or the other way round; start the program anew"
    )]
    AnotherNature {
        /// The way.
        spec: DeviceSpec,
    },
    /// The lock of the bus cannot be opened.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The chip does not answer, or refuses.
    #[error(transparent)]
    Chip(atecc::Error<TransportError>),
    /// The device that holds the chip did not let it answer: its policy, or who should have touched it.
    #[error(transparent)]
    Refused(Refusal),
    /// The certificates cannot be rebuilt.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The key of this slot is permanent.
    #[error("the key in slot {slot} is permanent; new keys go into slots 2 to 4")]
    PermanentKey {
        /// The slot.
        slot: Slot,
    },
    /// No rule allows a new key in this slot. The key is as it was.
    #[error(
        "the key in slot {slot} was left as it is, since a new one destroys it, and it may be named in the \
         manifest of the part; if nobody needs it, write into {CONFIG_FILE}: [[slot]] number = {slot}, \
         overwrite = true, serial = \"{serial_number}\", each on a line of its own"
    )]
    NotListed {
        /// The slot.
        slot: Slot,
        /// The chip that it is in.
        serial_number: SerialNumber,
    },
    /// The chip makes no new key in this slot.
    #[error(
        "the chip makes no new key in slot {slot}: its configuration forbids it, or the slot is locked; \
         `atecc info` shows which slots take one"
    )]
    NoGenKey {
        /// The slot.
        slot: Slot,
    },
    /// The key of this slot does not agree on secrets that the caller gets.
    #[error(
        "slot {slot} gives no ECDH result: the chip's configuration forbids it (`atecc info` shows which slots do), \
         or lets it out encrypted only, and no [[slot]] of the configuration names the secret_file of the IO \
         protection key"
    )]
    NoEcdh {
        /// The slot.
        slot: Slot,
    },
    /// The file with the value of a slot cannot be used.
    #[error("{file} cannot be used as the secret of slot {slot}: {source}", file = file.display())]
    SecretFile {
        /// The slot.
        slot: Slot,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// The slot has no symmetric key for this use.
    #[error("slot {slot} has no such key; `atecc config` shows what each slot is for")]
    NoSecretKey {
        /// The slot.
        slot: Slot,
    },
    /// A signature does not verify with the public key of the slot. It was thrown away.
    #[error(
        "the chip's signature does not verify with the public key of slot {slot}, so it was thrown away; \
         if this comes again, the chip or its wiring is faulty"
    )]
    WrongSignature {
        /// The slot that signed.
        slot: Slot,
    },
}

impl Error {
    /// Whether the chip that was opened is not there at the moment, in contrast to one that refuses: none is, or
    /// another. To open the device again helps when it is there again.
    pub fn is_absent(&self) -> bool {
        match self {
            Self::EmulatedBus { .. }
            | Self::I2cNode { .. }
            | Self::SerialPort { .. }
            | Self::BridgeSocket { .. }
            | Self::Bridge { .. }
            | Self::AnotherNature { .. } => true,
            Self::EmulatorFile(error) => matches!(error, FileError::Missing { .. }),
            Self::Chip(atecc::Error::Transport(TransportError::NotReopened(error))) => error.is_absent(),
            Self::Chip(atecc::Error::Transport(TransportError::Link(link::Error::Fault(fault)))) => {
                *fault == link::Fault::NoChip
            }
            Self::Chip(atecc::Error::Transport(error)) if error.is_broken() => true,
            Self::Chip(atecc::Error::Transport(error)) => {
                matches!(
                    error,
                    TransportError::Gone(_)
                        | TransportError::AnotherChip { .. }
                        | TransportError::Bus(i2c::Error::NoAnswer { .. })
                )
            }
            _ => false,
        }
    }

    /// Whether the chip answers, and has no certificates to show: it stores none that are known here, or keeps
    /// those slots to itself.
    pub fn is_without_certificates(&self) -> bool {
        matches!(self, Self::Certificate(_)) || self.chip_status().is_some_and(is_refusal)
    }

    /// Why the device that holds the chip did not let it answer, if that is what happened.
    pub const fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused(refusal) => Some(*refusal),
            _ => None,
        }
    }

    /// The status with which the chip refused, if that is what happened.
    pub fn chip_status(&self) -> Option<Status> {
        match self {
            Self::Chip(atecc::Error::Response { source: atecc::ResponseError::Status(status), .. }) => {
                Some(*status)
            }
            _ => None,
        }
    }
}

impl From<atecc::Error<TransportError>> for Error {
    fn from(error: atecc::Error<TransportError>) -> Self {
        match &error {
            atecc::Error::Transport(transport) => {
                Refusal::of(transport).map_or(Self::Chip(error), Self::Refused)
            }
            _ => Self::Chip(error),
        }
    }
}

/// Whether the chip's configuration forbids what was asked, in contrast to a fault.
pub(crate) const fn is_refusal(status: Status) -> bool {
    matches!(status, Status::ExecutionError | Status::ParseError)
}

fn list(devices: &[DeviceSpec]) -> String {
    devices.iter().map(DeviceSpec::to_string).collect::<Vec<_>>().join(", ")
}

fn serial_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "is the device plugged in? `atecc list` shows the ports that there are",
        io::ErrorKind::PermissionDenied => {
            "add this user to the group dialout (`usermod -aG dialout USER`) and log in again"
        }
        _ => "is it the device node of a serial port, and not in use by another program?",
    }
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "is the bus enabled (on a Raspberry Pi: raspi-config, Interface Options, I2C) and the number right \
             (`ls /dev/i2c-*`)?"
        }
        io::ErrorKind::PermissionDenied => {
            "add this user to the group i2c (`usermod -aG i2c USER`) and log in again"
        }
        _ => "is it the device node of an I2C bus?",
    }
}
