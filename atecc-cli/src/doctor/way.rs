//! The bus of this machine, before anything is sent.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

use atecc_token::DeviceSpec;
use rustix::process::{getegid, geteuid, getgroups};

use super::report::Report;
use crate::error::Error;

/// Up to here the zero byte of the wake pulse is as long as the chip needs (tWLO, 60 µs for 8 bits).
const FASTEST_HERTZ: u32 = 133_000;

/// Whether it is worth while to go on.
pub(super) fn examine(spec: &DeviceSpec, report: &mut Report) -> Result<bool, Error> {
    match spec {
        DeviceSpec::I2c { node, .. } => linux(node, report),
        // A file or a socket shows what is wrong when it is opened.
        _ => Ok(true),
    }
}

fn linux(node: &Path, report: &mut Report) -> Result<bool, Error> {
    let metadata = match fs::metadata(node) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            report.wrong("bus", format!("there is no {}", node.display()), missing())?;
            return Ok(false);
        }
        Err(error) => {
            let found = format!("{} cannot be looked at: {error}", node.display());
            report.wrong("bus", found, "check the rights of the folders that lead there")?;
            return Ok(false);
        }
    };
    report.ok("bus", format!("{} is there", node.display()))?;
    match fs::OpenOptions::new().read(true).write(true).open(node) {
        Ok(_) => report.ok("permission", format!("user {} may use it", geteuid().as_raw()))?,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let found = format!("user {} may not use {}", geteuid().as_raw(), node.display());
            report.wrong("permission", found, permission(&metadata))?;
            return Ok(false);
        }
        Err(error) => {
            let found = format!("{} cannot be opened: {error}", node.display());
            report.wrong("bus", found, "name the device node of an I2C bus, such as /dev/i2c-1")?;
            return Ok(false);
        }
    }
    speed(node, report)?;
    Ok(true)
}

/// What to do about a node that is missing.
fn missing() -> String {
    let nodes = fs::read_dir("/dev").into_iter().flatten().flatten();
    let names = nodes.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("i2c-")).collect();
    names.sort();
    if names.is_empty() {
        "switch the bus on (on a Raspberry Pi: raspi-config, Interface Options, I2C) and load its driver \
         (`modprobe i2c-dev`)"
            .into()
    } else {
        format!("name one of the buses of this machine: {}", names.join(", "))
    }
}

/// Who may use the node, and how to become one of them.
fn permission(node: &fs::Metadata) -> String {
    let group = group_name(node.gid()).unwrap_or_else(|| node.gid().to_string());
    if node.mode() & 0o060 != 0o060 || node.gid() == 0 {
        return "give the bus to a group, for example with a udev rule: \
                SUBSYSTEM==\"i2c-dev\", GROUP=\"i2c\", MODE=\"0660\""
            .into();
    }
    let is_member = getegid().as_raw() == node.gid()
        || getgroups().is_ok_and(|groups| groups.iter().any(|group| group.as_raw() == node.gid()));
    if is_member {
        return "look at the rights of the node and of the folders above it".into();
    }
    format!("add this user to the group {group} (`usermod -aG {group} USER`) and log in again")
}

fn group_name(id: u32) -> Option<String> {
    let groups = fs::read_to_string("/etc/group").ok()?;
    let mut fields = groups.lines().map(|line| line.split(':').collect::<Vec<_>>());
    fields
        .find(|fields| fields.get(2).is_some_and(|field| *field == id.to_string()))?
        .first()
        .map(|&name| name.into())
}

/// The clock of the bus, where the device tree tells it.
fn speed(node: &Path, report: &mut Report) -> Result<(), Error> {
    let Some(hertz) = hertz(node) else { return Ok(()) };
    if hertz <= FASTEST_HERTZ {
        return report.ok("speed", format!("{hertz} Hz"));
    }
    report.wrong(
        "speed",
        format!("the bus runs at {hertz} Hz, too fast for the wake pulse"),
        "set it to 100 kHz (on a Raspberry Pi: dtparam=i2c_arm_baudrate=100000 in config.txt) and restart",
    )
}

fn hertz(node: &Path) -> Option<u32> {
    let node = node.canonicalize().ok()?;
    let name = node.file_name()?.to_str()?;
    let bytes = fs::read(format!("/sys/bus/i2c/devices/{name}/of_node/clock-frequency")).ok()?;
    bytes.try_into().ok().map(u32::from_be_bytes)
}
