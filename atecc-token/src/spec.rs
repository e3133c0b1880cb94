//! Device specs: where a chip is, as a string.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use atecc::i2c::TRUST_AND_GO_ADDRESS;

use crate::serial::{DEFAULT_RATE, is_rate};

/// Where a chip is.
///
/// | string | chip |
/// |---|---|
/// | `emulator:PATH` | emulated, inside of this process, with the file as its EEPROM |
/// | `emulator:unix:SOCKET` | emulated, on the bus that `atecc emulator serve` shares |
/// | `i2c:/dev/i2c-1` | on a bus of this machine |
/// | `serial:/dev/ttyUSB0` | behind a bridge on a serial port, such as a Core2 |
/// | `unix:/run/atecc.sock` | behind a bridge on a socket, which `atecc bridge serve` makes |
/// | `rppal:1` | on a bus of this Raspberry Pi, through rppal (feature `rppal`) |
///
/// Options follow behind `?`, separated by `&`: `address=0x35` (the seven-bit I2C address; for chips on a bus),
/// `baud=921600` (the rate of a serial port, which both ends agree on or do without) and `clock=virtual` (the first
/// only: time passes in the chip, but nobody waits for it; for tests).
///
/// ```
/// use atecc_token::DeviceSpec;
///
/// let spec: DeviceSpec = "i2c:/dev/i2c-1?address=0x60".parse()?;
/// assert_eq!(spec.to_string(), "i2c:/dev/i2c-1?address=0x60");
/// # Ok::<(), atecc_token::SpecError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceSpec {
    /// A chip in this process.
    Emulator {
        /// Its EEPROM.
        path: PathBuf,
        /// Whether execution times are only counted, not waited for.
        is_clock_virtual: bool,
    },
    /// A chip on a shared emulated bus.
    EmulatedBus {
        /// Where the bus is served.
        socket: PathBuf,
        /// The seven-bit address on it.
        address: u8,
    },
    /// A chip on an I2C bus.
    I2c {
        /// The device node of the bus.
        node: PathBuf,
        /// The seven-bit address on it.
        address: u8,
    },
    /// A chip behind a bridge on a serial port.
    Serial {
        /// The device node of the port, best by a name that stays: /dev/serial/by-id/...
        node: PathBuf,
        /// The rate to use if the bridge can, in baud.
        rate: u32,
    },
    /// A chip behind a bridge on a Unix socket.
    Socket {
        /// The socket.
        path: PathBuf,
    },
    /// A chip on an I2C bus of a Raspberry Pi, driven by the crate rppal.
    #[cfg(feature = "rppal")]
    Rppal {
        /// The number of the bus.
        bus: u8,
        /// The seven-bit address on it.
        address: u8,
    },
}

impl DeviceSpec {
    /// What kind of way it is: chips of the same serial number behind ways of two kinds are two chips to the cache.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Emulator { .. } | Self::EmulatedBus { .. } => "emulator",
            Self::I2c { .. } => "i2c",
            Self::Serial { .. } | Self::Socket { .. } => "bridge",
            #[cfg(feature = "rppal")]
            Self::Rppal { .. } => "rppal",
        }
    }

    /// Whether the chip may go and come back while a program runs: a socket whose server ends, an adapter on USB. A
    /// bus that is not there at the moment is one of those.
    pub fn is_removable(&self) -> bool {
        match self {
            Self::Emulator { .. } => false,
            Self::EmulatedBus { .. } | Self::Serial { .. } | Self::Socket { .. } => true,
            Self::I2c { node, .. } => is_on_usb(node, Path::new("/sys/bus/i2c/devices")),
            #[cfg(feature = "rppal")]
            Self::Rppal { .. } => false,
        }
    }
}

/// Whether the adapter of the bus `node` hangs on USB: `buses` has a link to where each is in the tree of devices,
/// and USB's buses there are called usb1, usb2 and so on.
fn is_on_usb(node: &Path, buses: &Path) -> bool {
    let Ok(node) = node.canonicalize() else { return true };
    let adapter = node.file_name().and_then(|name| buses.join(name).canonicalize().ok());
    adapter.is_some_and(|path| {
        path.iter()
            .filter_map(|part| part.to_str()?.strip_prefix("usb"))
            .any(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
    })
}

impl FromStr for DeviceSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let error = |reason| SpecError { text: text.into(), reason };
        let (place, options) = text.split_once('?').unwrap_or((text, ""));
        let mut options = Options::parse(options).map_err(error)?;
        let spec = if let Some(socket) = place.strip_prefix("emulator:unix:") {
            let address = options.take_address().map_err(error)?;
            Self::EmulatedBus { socket: non_empty(socket).ok_or_else(|| error(Reason::NoPlace))?, address }
        } else if let Some(path) = place.strip_prefix("emulator:") {
            let is_clock_virtual = options.take_virtual_clock().map_err(error)?;
            Self::Emulator { path: non_empty(path).ok_or_else(|| error(Reason::NoPlace))?, is_clock_virtual }
        } else if let Some(node) = place.strip_prefix("i2c:") {
            let address = options.take_address().map_err(error)?;
            Self::I2c { node: non_empty(node).ok_or_else(|| error(Reason::NoPlace))?, address }
        } else if let Some(node) = place.strip_prefix("serial:") {
            let rate = options.take_rate().map_err(error)?;
            Self::Serial { node: non_empty(node).ok_or_else(|| error(Reason::NoPlace))?, rate }
        } else if let Some(path) = place.strip_prefix("unix:") {
            Self::Socket { path: non_empty(path).ok_or_else(|| error(Reason::NoPlace))? }
        } else if let Some(bus) = place.strip_prefix("rppal:") {
            rppal(bus, options.take_address().map_err(error)?).map_err(error)?
        } else {
            return Err(error(Reason::Scheme));
        };
        match options.0.first() {
            None => Ok(spec),
            Some((name, _)) => Err(error(Reason::Option((*name).into()))),
        }
    }
}

impl fmt::Display for DeviceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, address) = match self {
            Self::Emulator { path, is_clock_virtual } => {
                let option = if *is_clock_virtual { "?clock=virtual" } else { "" };
                return write!(f, "emulator:{}{option}", path.display());
            }
            Self::EmulatedBus { socket, address } => {
                (format!("emulator:unix:{}", socket.display()), *address)
            }
            Self::I2c { node, address } => (format!("i2c:{}", node.display()), *address),
            Self::Serial { node, rate: DEFAULT_RATE } => return write!(f, "serial:{}", node.display()),
            Self::Serial { node, rate } => return write!(f, "serial:{}?baud={rate}", node.display()),
            Self::Socket { path } => return write!(f, "unix:{}", path.display()),
            #[cfg(feature = "rppal")]
            Self::Rppal { bus, address } => (format!("rppal:{bus}"), *address),
        };
        if address == TRUST_AND_GO_ADDRESS {
            f.write_str(&place)
        } else {
            write!(f, "{place}?address=0x{address:02x}")
        }
    }
}

/// What stands behind the `?`.
struct Options<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Options<'a> {
    fn parse(text: &'a str) -> Result<Self, Reason> {
        text.split('&')
            .filter(|option| !option.is_empty())
            .map(|option| option.split_once('=').ok_or_else(|| Reason::Option(option.into())))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn take(&mut self, name: &str) -> Option<&'a str> {
        let position = self.0.iter().position(|option| option.0 == name)?;
        Some(self.0.remove(position).1)
    }

    fn take_address(&mut self) -> Result<u8, Reason> {
        let Some(text) = self.take("address") else { return Ok(TRUST_AND_GO_ADDRESS) };
        let number = match text.strip_prefix("0x") {
            Some(digits) => u8::from_str_radix(digits, 16),
            None => text.parse(),
        };
        // Below 0x08 and above 0x77 the I2C standard has other uses for addresses.
        number.ok().filter(|address| (0x08..=0x77).contains(address)).ok_or(Reason::Address)
    }

    fn take_rate(&mut self) -> Result<u32, Reason> {
        let Some(text) = self.take("baud") else { return Ok(DEFAULT_RATE) };
        text.parse().ok().filter(|rate| is_rate(*rate)).ok_or(Reason::Rate)
    }

    fn take_virtual_clock(&mut self) -> Result<bool, Reason> {
        match self.take("clock") {
            None | Some("real") => Ok(false),
            Some("virtual") => Ok(true),
            Some(_) => Err(Reason::Clock),
        }
    }
}

#[cfg(feature = "rppal")]
fn rppal(bus: &str, address: u8) -> Result<DeviceSpec, Reason> {
    bus.parse().map(|bus| DeviceSpec::Rppal { bus, address }).map_err(|_| Reason::RppalBus)
}

#[cfg(not(feature = "rppal"))]
const fn rppal(_bus: &str, _address: u8) -> Result<DeviceSpec, Reason> {
    Err(Reason::NoRppal)
}

fn non_empty(path: &str) -> Option<PathBuf> {
    (!path.is_empty()).then(|| path.into())
}

/// A string that is no device spec.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" names no device: {reason}")]
pub struct SpecError {
    text: String,
    reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Reason {
    #[error(
        "it begins with none of emulator:PATH, emulator:unix:SOCKET, i2c:/dev/i2c-N, serial:/dev/ttyUSB0 and \
         unix:SOCKET"
    )]
    Scheme,
    #[error("nothing stands behind the colon")]
    NoPlace,
    #[error("the option \"{0}\" is not known for this kind of device")]
    Option(String),
    #[error(
        "address must be a seven-bit I2C address from 0x08 to 0x77, such as 0x35 (half of the vendor's 0x6A)"
    )]
    Address,
    #[error("baud must be a number from 115200 to 4000000")]
    Rate,
    #[error("clock must be real or virtual")]
    Clock,
    #[cfg(feature = "rppal")]
    #[error("behind rppal: stands the number of the bus, such as 1")]
    RppalBus,
    #[cfg(not(feature = "rppal"))]
    #[error(
        "this program was built without the feature rppal; use i2c:/dev/i2c-1, which works on a Raspberry Pi too"
    )]
    NoRppal,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_survive_the_round_trip() {
        for text in [
            "emulator:/var/lib/chip.eeprom",
            "emulator:chip?clock=virtual",
            "emulator:unix:/run/bus.sock",
            "emulator:unix:bus.sock?address=0x60",
            "i2c:/dev/i2c-1",
            "serial:/dev/serial/by-id/usb-Silicon_Labs_CP2104-if00-port0",
            "serial:/dev/ttyUSB0?baud=115200",
            "unix:/run/atecc.sock",
        ] {
            assert_eq!(text.parse::<DeviceSpec>().unwrap().to_string(), text);
        }
        let explicit: DeviceSpec = "i2c:/dev/i2c-1?address=53".parse().unwrap();
        assert_eq!(explicit.to_string(), "i2c:/dev/i2c-1");
    }

    #[test]
    fn what_can_be_pulled_is_removable() {
        let removable = |text: &str| text.parse::<DeviceSpec>().unwrap().is_removable();
        assert!(!removable("emulator:chip"));
        assert!(removable("emulator:unix:/run/bus.sock"));
        assert!(removable("i2c:/nonexistent/i2c-1"));
        assert!(removable("serial:/dev/ttyUSB0") && removable("unix:/run/atecc.sock"));
    }

    #[test]
    fn an_adapter_on_usb_is_told_by_its_place_in_the_tree() {
        let folder = tempfile::tempdir().unwrap();
        let buses = folder.path().join("buses");
        std::fs::create_dir(&buses).unwrap();
        for (name, place) in [
            ("i2c-1", "platform/soc/fe804000.i2c/i2c-1"),
            ("i2c-7", "pci0000:00/0000:00:14.0/usb3/3-1/3-1:1.0/i2c-7"),
            ("i2c-8", "platform/usbhost.usb/i2c-8"),
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
            let place = folder.path().join("devices").join(place);
            std::fs::create_dir_all(&place).unwrap();
            std::os::unix::fs::symlink(place, buses.join(name)).unwrap();
        }
        let on_usb = |name| is_on_usb(&folder.path().join(name), &buses);
        assert!(!on_usb("i2c-1") && on_usb("i2c-7") && !on_usb("i2c-8"));
        // A name of its own, as udev gives it.
        std::os::unix::fs::symlink(folder.path().join("i2c-7"), folder.path().join("chip")).unwrap();
        assert!(on_usb("chip"));
    }

    #[test]
    fn what_is_no_spec_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "begins with none"),
            ("/dev/i2c-1", "begins with none"),
            ("emulator:", "nothing stands"),
            ("emulator:unix:", "nothing stands"),
            ("i2c:/dev/i2c-1?address=0x6A0", "seven-bit"),
            ("i2c:/dev/i2c-1?address=0x00", "seven-bit"),
            ("i2c:/dev/i2c-1?adress=0x35", "\"adress\" is not known"),
            ("serial:", "nothing stands"),
            ("serial:/dev/ttyUSB0?baud=9600", "115200 to 4000000"),
            ("serial:/dev/ttyUSB0?address=0x35", "\"address\" is not known"),
            ("unix:", "nothing stands"),
            ("emulator:chip?address=0x35", "\"address\" is not known"),
            ("emulator:chip?clock=slow", "real or virtual"),
            ("emulator:chip?clock", "\"clock\" is not known"),
            #[cfg(not(feature = "rppal"))]
            ("rppal:1", "without the feature"),
            #[cfg(feature = "rppal")]
            ("rppal:one", "the number of the bus"),
        ] {
            let message = text.parse::<DeviceSpec>().unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
    }
}
