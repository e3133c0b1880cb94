//! Why a chip could not be opened.

use std::{io::ErrorKind, time::Duration};

use atecc::i2c;
use atecc_emulator::{BusError, FileError};
use atecc_token::{DeviceSpec, Error as TokenError, TransportError, probe};

use super::report::Report;
use crate::error::Error;

/// Nine bits at 100 kHz. A bus that is done sooner is faster than that, however slow the system.
const ADDRESS_TIME: Duration = Duration::from_micros(90);

pub(super) fn examine(spec: &DeviceSpec, error: &Error, report: &mut Report) -> Result<(), Error> {
    match error {
        Error::Token(TokenError::EmulatorFile(error)) => file(error, report),
        Error::Token(TokenError::EmulatedBus { socket, source: BusError::Gone(_) }) if socket.exists() => {
            report.wrong(
                "bus",
                format!("nobody serves the emulated bus on {} any more", socket.display()),
                format!("start it again with `atecc emulator serve CHIP {}`", socket.display()),
            )
        }
        Error::Token(TokenError::EmulatedBus { socket, source: BusError::Gone(_) }) => report.wrong(
            "bus",
            format!("there is no emulated bus on {}", socket.display()),
            format!("start one with `atecc emulator serve CHIP {}`", socket.display()),
        ),
        Error::Token(TokenError::Chip(atecc::Error::Transport(TransportError::Bus(
            i2c::Error::NoAnswer { address, .. },
        )))) => silent(spec, *address, report),
        Error::Token(TokenError::Chip(atecc::Error::Transport(TransportError::Bus(
            i2c::Error::Damaged(damage),
        )))) => report.wrong(
            "transfers",
            format!("the chip answers, and its answers arrive damaged ({damage})"),
            "check the wiring, the pull-up resistors and the supply, and shorten the cables",
        ),
        Error::Token(TokenError::PrivateNode { node }) => report.wrong(
            "bus",
            format!(
                "{} is a copy, as containers get them, and its lock is not that of the host",
                node.display()
            ),
            format!(
                "run `atecc bridge serve i2c:{0} --listen unix:/run/atecc.sock` outside and use that socket here, \
                 or mount the node itself (docker run --volume {0}:{0} --device {0})",
                node.display()
            ),
        ),
        Error::Token(TokenError::SerialPort { node, source }) => report.wrong(
            "port",
            format!("{} cannot be opened: {source}", node.display()),
            match source.kind() {
                ErrorKind::NotFound => "plug the device in; `atecc list` shows the ports that there are",
                ErrorKind::PermissionDenied => {
                    "add this user to the group dialout (`usermod -aG dialout USER`) and log in again"
                }
                _ => "name the device node of a serial port, and end the program that has it open",
            },
        ),
        Error::Token(TokenError::BridgeSocket { socket, source }) => report.wrong(
            "bridge",
            format!("no bridge on {} ({source})", socket.display()),
            format!("start one with `atecc bridge serve DEVICE --listen unix:{}`", socket.display()),
        ),
        Error::Token(TokenError::Bridge { place, source }) => report.wrong(
            "bridge",
            format!("{}: {source}", place.display()),
            "see that the device has the firmware of this project, reset it, and try another cable",
        ),
        Error::Token(TokenError::Refused(refusal)) => report.wrong(
            "policy",
            refusal.to_string(),
            "touch the device or open its policy there; the chip itself was not asked",
        ),
        error => report.wrong("chip", error.to_string(), "check power and wiring, then the address"),
    }
}

/// No chip is named, or not in a way that is understood.
pub(super) fn unnamed(error: &Error, report: &mut Report) -> Result<(), Error> {
    let found = match error {
        Error::Token(TokenError::NoDevice) => "no device is named".into(),
        error => error.to_string(),
    };
    let fix = "name the chip with --device, with ATECC_DEVICE or in /etc/atecc/atecc.toml, for example \
               --device i2c:/dev/i2c-1";
    report.wrong("device", found, fix)
}

fn file(error: &FileError, report: &mut Report) -> Result<(), Error> {
    let (found, fix) = match error {
        FileError::Missing { path } => (
            format!("there is no emulated chip at {}", path.display()),
            format!("make one with `atecc emulator new {}`", path.display()),
        ),
        FileError::Permission { path } => (
            format!("this user may not use the emulated chip {}", path.display()),
            "run as the owner of the file".into(),
        ),
        FileError::InUse { path } => (
            format!("the emulated chip {} is in use by another program", path.display()),
            format!(
                "wait for it to end, or share the chip with `atecc emulator serve {} SOCKET`",
                path.display()
            ),
        ),
        FileError::Corrupt { path } => (
            format!("{} is not an emulated chip, or is damaged: its checksum does not match", path.display()),
            "restore it from a copy, or make another with `atecc emulator new`".into(),
        ),
        error => (error.to_string(), "look at the file and the file system it is on".into()),
    };
    report.wrong("chip file", found, fix)
}

/// Nobody answers at `address`: is there a chip elsewhere, or a bus that cannot wake it?
fn silent(spec: &DeviceSpec, address: u8, report: &mut Report) -> Result<(), Error> {
    let nobody = format!("no chip answers at address 0x{address:02x}");
    let probe = match probe(spec) {
        Ok(probe) => probe,
        Err(error) => return report.wrong("wake", nobody, error.to_string()),
    };
    if let Some(other) = probe.addresses.first() {
        let place = spec.to_string();
        let place = place.split('?').next().unwrap_or_default();
        return report.wrong(
            "wake",
            format!("{nobody}, but one does at 0x{other:02x}"),
            format!("use --device \"{place}?address=0x{other:02x}\""),
        );
    }
    if probe.address_time < ADDRESS_TIME {
        let microseconds = probe.address_time.as_micros();
        return report.wrong(
            "speed",
            format!("{nobody}; the bus runs faster than 100 kHz (an address took {microseconds} µs, not 90)"),
            slower(spec),
        );
    }
    report.wrong(
        "wake",
        format!(
            "{nobody}, nor at the other addresses of the vendor: there is none with power, or the bus is too fast to \
             wake one"
        ),
        format!("check power and wiring; if the bus is faster than 100 kHz, {}", slower(spec)),
    )
}

fn slower(spec: &DeviceSpec) -> &'static str {
    match spec {
        DeviceSpec::EmulatedBus { .. } => "serve it without --hertz, or with --hertz 100000",
        _ => "set it to 100 kHz (on a Raspberry Pi: dtparam=i2c_arm_baudrate=100000 in config.txt)",
    }
}
