//! What is wrong before a chip answers.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    process::Command,
};

use super::{doctor, finds, report};
use crate::support::{Chip, Running, program, run};

#[test]
fn nothing_names_a_chip() {
    let mut command = Command::new(program("atecc"));
    command.arg("doctor").env_remove("ATECC_DEVICE");
    finds(command, "device", "no device is named", "--device");
    finds(doctor("usb:1"), "device", "names no device", "i2c:/dev/i2c-1");
}

#[test]
fn a_bus_that_is_not_there() {
    finds(doctor("i2c:/dev/i2c-99"), "bus", "there is no /dev/i2c-99", "bus");
}

/// As another user where the tests run as root; as this one elsewhere.
#[test]
fn a_bus_that_this_user_may_not_use() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // Nobody may look into the folder of the build.
    let atecc = folder.path().join("atecc");
    fs::copy(program("atecc"), &atecc).unwrap();
    let node = folder.path().join("i2c-7");
    fs::write(&node, "").unwrap();
    let is_root = run(Command::new("id").arg("-u")).text().trim() == "0";
    let doctor = |spec: String| {
        let mut command = Command::new(if is_root { Path::new("setpriv") } else { &atecc });
        if is_root {
            command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(&atecc);
        }
        command.args(["--device", &spec, "doctor"]);
        command
    };
    let spec = format!("i2c:{}", node.display());
    fs::set_permissions(&node, fs::Permissions::from_mode(0o000)).unwrap();
    finds(doctor(spec.clone()), "permission", "may not use", "udev rule");
    if is_root {
        fs::set_permissions(&node, fs::Permissions::from_mode(0o660)).unwrap();
        chown(&node, None, Some(424_242)).unwrap();
        finds(doctor(spec), "permission", "user 65534 may not use", "usermod -aG 424242");
    }

    let chip = folder.path().join("chip.eeprom");
    run(Command::new(program("atecc")).args(["emulator", "new"]).arg(&chip)).succeeded();
    fs::set_permissions(&chip, fs::Permissions::from_mode(if is_root { 0o600 } else { 0 })).unwrap();
    finds(doctor(format!("emulator:{}", chip.display())), "chip file", "may not use", "as the owner");
}

#[test]
fn a_wrong_address() {
    let chip = Chip::new();
    let bus = chip.serve();
    let spec = bus.device() + "?address=0x60";
    finds(doctor(&spec), "wake", "no chip answers at address 0x60, but one does at 0x35", "?address=0x35");
}

#[test]
fn a_bus_that_is_too_fast() {
    let chip = Chip::new();
    let socket = chip.path("bus.sock");
    let mut serve = Command::new(program("atecc"));
    serve.args(["emulator", "serve", "--hertz", "400000"]).arg(chip.eeprom()).arg(&socket);
    let _bus = Running::start(&mut serve);
    while !socket.exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let (report, finished) = report(doctor(&format!("emulator:unix:{}", socket.display())).arg("--json"));
    finished.failed_with(1);
    let last = report.findings.last().unwrap();
    // A busy machine can hide how fast the bus is; the advice is there all the same.
    assert!(["speed", "wake"].contains(&last.check.as_str()), "{report:?}");
    assert!(last.found.contains("no chip answers at address 0x35"), "{report:?}");
    assert!(last.fix.as_ref().unwrap().contains("--hertz 100000"), "{report:?}");
    println!("{}\n    to mend it: {}", last.found, last.fix.as_ref().unwrap());
}

#[test]
fn a_chip_file_that_is_missing_damaged_or_in_use() {
    finds(
        doctor("emulator:/nonexistent/chip"),
        "chip file",
        "there is no emulated chip",
        "atecc emulator new",
    );
    let chip = Chip::new();
    let bus = chip.serve();
    finds(doctor(&chip.device()), "chip file", "in use by another program", "atecc emulator serve");
    drop(bus);
    let mut bytes = fs::read(chip.eeprom()).unwrap();
    bytes[700] ^= 0x01;
    fs::write(chip.eeprom(), bytes).unwrap();
    finds(doctor(&chip.device()), "chip file", "damaged", "restore it from a copy");
}

#[test]
fn a_served_bus_that_died() {
    let chip = Chip::new();
    let mut bus = chip.serve();
    bus.server.kill();
    finds(doctor(&bus.device()), "bus", "nobody serves", "start it again with `atecc emulator serve");
    let never = format!("emulator:unix:{}", chip.path("never.sock").display());
    finds(doctor(&never), "bus", "there is no emulated bus", "start one with `atecc emulator serve");
}
