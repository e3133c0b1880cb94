//! `atecc list`.

use std::{
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use atecc_token::{DeviceSpec, Error as TokenError, Token, VENDOR_ADDRESSES, probe};
use serde::Serialize;

use crate::{error::Error, output};

/// Where to look for names of serial ports that stay, and then for the ports themselves.
const BY_ID: &str = "/dev/serial/by-id";
/// What USB adapters and boards are called.
const PORTS: [&str; 2] = ["ttyUSB", "ttyACM"];
/// Where rules for udev belong that give buses and ports to their groups.
const RULES_FILE: &str = "/etc/udev/rules.d/70-atecc.rules";
/// These rules.
const RULES: &str = include_str!("../../docs/udev/70-atecc.rules");

/// What of them is for a bus, and what for a port.
const I2C_RULE: &str = "SUBSYSTEM==\"i2c-dev\"";
const PORT_RULE: &str = "SUBSYSTEM==\"tty\", KERNEL==\"ttyUSB*|ttyACM*\"";

/// Look for chips on the I2C buses and behind bridges on the serial ports of this machine.
///
/// On each bus it sends a wake pulse, and reads at the addresses that the vendor uses. On each port of a USB adapter
/// it asks for a bridge. Nothing else is sent. Exit code 1: nothing was found.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
    /// Print rules for udev that give buses, boards and lines to the groups i2c, dialout and gpio, and look for nothing.
    #[arg(long, conflicts_with = "json")]
    rules: bool,
}

/// A bus or a port.
#[derive(Debug, Serialize)]
struct Place {
    node: PathBuf,
    /// Specs of the chips that answer.
    devices: Vec<Found>,
    /// Why nobody could look, with the remedy.
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct Found {
    device: String,
    serial_number: Option<String>,
    part: Option<String>,
    emulated: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    if arguments.rules {
        print!("{RULES}");
        return Ok(());
    }
    let mut places: Vec<Place> = buses(Path::new("/dev"))?.into_iter().map(bus).collect();
    places.extend(ports(Path::new("/dev"), Path::new(BY_ID))?.into_iter().map(port));
    if arguments.json {
        output::json(&places)?;
    } else {
        print(&places);
    }
    if places.iter().all(|place| place.devices.is_empty()) { Err(Error::NothingFound) } else { Ok(()) }
}

fn print(places: &[Place]) {
    for place in places {
        println!("{}", place.node.display());
        for found in &place.devices {
            let mark = if found.emulated { "EMULATOR " } else { "" };
            let part = found.part.as_deref().unwrap_or("no ATECC608 that this program knows");
            let serial = found.serial_number.as_deref().unwrap_or("?");
            println!("  --device {}  {mark}{part}, serial number {serial}", found.device);
        }
        if let Some(problem) = &place.problem {
            println!("  {problem}");
        } else if place.devices.is_empty() {
            println!("  nothing answers");
        }
    }
}

fn bus(node: PathBuf) -> Place {
    let mut place = Place { node, devices: Vec::new(), problem: None };
    let spec = |address| DeviceSpec::I2c { node: place.node.clone(), address };
    match probe(&spec(VENDOR_ADDRESSES[0])) {
        Ok(probe) => {
            place.devices = probe.addresses.iter().map(|address| found(&spec(*address))).collect();
        }
        Err(error) => place.problem = Some(explain(&error, "i2c", I2C_RULE)),
    }
    place
}

fn port(node: PathBuf) -> Place {
    let mut place = Place { node, devices: Vec::new(), problem: None };
    let spec = DeviceSpec::Serial { node: place.node.clone(), rate: atecc_token::DEFAULT_RATE };
    match Token::open_uncached(&spec) {
        Ok(token) => place.devices.push(describe(&spec, &token)),
        // A port with something else behind it is no problem.
        Err(TokenError::Bridge { source: atecc::link::Error::NoBridge, .. }) => {}
        Err(error) => place.problem = Some(explain(&error, "dialout", PORT_RULE)),
    }
    place
}

fn found(spec: &DeviceSpec) -> Found {
    match Token::open_uncached(spec) {
        Ok(token) => describe(spec, &token),
        Err(_) => Found { device: spec.to_string(), serial_number: None, part: None, emulated: false },
    }
}

fn describe(spec: &DeviceSpec, token: &Token) -> Found {
    Found {
        device: spec.to_string(),
        serial_number: Some(token.serial_number().to_string()),
        part: Some(token.revision().part().into()),
        emulated: token.is_emulated(),
    }
}

/// The error; if a right is missing, with the rule that gives it to all members of a group.
fn explain(error: &TokenError, group: &str, rule: &str) -> String {
    match error {
        TokenError::I2cNode { source, .. } | TokenError::SerialPort { source, .. }
            if source.kind() == io::ErrorKind::PermissionDenied =>
        {
            format!(
                "{error}; if the node has another group, write into {RULES_FILE} what `atecc list --rules` prints: {rule}, GROUP=\"{group}\", MODE=\"0660\""
            )
        }
        _ => error.to_string(),
    }
}

/// The I2C buses in `folder`, by number.
fn buses(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut nodes: Vec<(u32, PathBuf)> = names(folder)?
        .into_iter()
        .filter_map(|path| Some((path.file_name()?.to_str()?.strip_prefix("i2c-")?.parse().ok()?, path)))
        .collect();
    nodes.sort();
    Ok(nodes.into_iter().map(|(_, path)| path).collect())
}

/// The serial ports of USB devices: by the names that stay where udev made some.
fn ports(folder: &Path, by_id: &Path) -> io::Result<Vec<PathBuf>> {
    let mut ports = names(by_id)?;
    let known: Vec<PathBuf> = ports.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let is_port = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().as_bytes();
        PORTS.iter().any(|port| name.starts_with(port.as_bytes()))
            && !path.canonicalize().is_ok_and(|path| known.contains(&path))
    };
    ports.extend(names(folder)?.into_iter().filter(is_port));
    ports.sort();
    Ok(ports)
}

/// What is in `folder`; nothing if there is no such folder.
fn names(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn buses_and_ports_are_found_by_name_and_listed_once() {
        let folder = tempfile::tempdir().unwrap();
        let (dev, by_id) = (folder.path().join("dev"), folder.path().join("by-id"));
        fs::create_dir_all(&dev).unwrap();
        fs::create_dir_all(&by_id).unwrap();
        for name in ["i2c-10", "i2c-2", "i2c-x", "ttyUSB0", "ttyUSB1", "ttyACM0", "ttyS0", "null"] {
            fs::write(dev.join(name), "").unwrap();
        }
        symlink(dev.join("ttyUSB1"), by_id.join("usb-M5Stack")).unwrap();
        assert_eq!(buses(&dev).unwrap(), [dev.join("i2c-2"), dev.join("i2c-10")]);
        let expected = [by_id.join("usb-M5Stack"), dev.join("ttyACM0"), dev.join("ttyUSB0")];
        assert_eq!(ports(&dev, &by_id).unwrap(), expected);
        assert!(ports(&dev.join("none"), &by_id.join("none")).unwrap().is_empty());
    }

    /// KEY, KEY{attribute}, an operator of udev(7), and a value in quotes; separated by commas.
    #[test]
    fn the_rules_are_rules_and_have_what_is_told_to_write() {
        let rules: Vec<&str> =
            RULES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        // Buses, lines, ports, and three boards that are no modems.
        assert_eq!(rules.len(), 6);
        for part in rules.iter().flat_map(|rule| rule.split(", ")) {
            let (key, value) = part.split_once('"').unwrap();
            let value = value.strip_suffix('"').unwrap();
            assert!(!value.contains('"'), "{part}");
            let name = key.trim_end_matches(['=', '{', '}']).split('{').next().unwrap();
            let operator = &key[key.find('=').unwrap()..];
            match name {
                "SUBSYSTEM" | "KERNEL" | "ATTRS" => assert_eq!(operator, "==", "{part}"),
                "GROUP" | "MODE" | "ENV" => assert_eq!(operator, "=", "{part}"),
                other => panic!("{other}"),
            }
        }
        for told in [explained("i2c", I2C_RULE), explained("dialout", PORT_RULE)] {
            let (_, rule) = told.split_once("prints: ").unwrap();
            assert!(rules.contains(&rule), "{rule}");
        }
    }

    fn explained(group: &str, rule: &str) -> String {
        let source = io::ErrorKind::PermissionDenied.into();
        explain(&TokenError::SerialPort { node: "/dev/ttyUSB0".into(), source }, group, rule)
    }
}
