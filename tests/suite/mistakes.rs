//! What users get wrong: one clear sentence, a non-zero exit, nothing damaged.

use std::{fs, process::Command};

use super::support::{Chip, Finished, Running, program, run};

/// The one line on standard error.
#[track_caller]
fn sentence(finished: Finished) -> String {
    let finished = finished.failed_with(1);
    assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    assert_eq!(finished.text(), "");
    finished.stderr
}

fn info(device: &str) -> Finished {
    run(Command::new(program("atecc")).args(["--device", device, "info"]))
}

#[test]
fn a_wrong_device_path() {
    assert!(
        sentence(info("emulator:/nonexistent/chip.eeprom")).contains("make one with `atecc emulator new")
    );
    assert!(
        sentence(info("emulator:unix:/nonexistent/bus.sock"))
            .contains("start one with `atecc emulator serve")
    );
    assert!(sentence(info("i2c:/dev/i2c-99")).contains("is the bus enabled"));
    assert!(sentence(info("usb:1")).contains("names no device"));
}

#[test]
fn no_device_at_all() {
    let mut command = Command::new(program("atecc"));
    let message = sentence(run(command.env_remove("ATECC_DEVICE").arg("info")));
    assert!(message.contains("ATECC_DEVICE"), "{message}");
}

#[test]
fn a_file_that_somebody_else_has() {
    let chip = Chip::new();
    let before = fs::read(chip.eeprom()).unwrap();
    let mut other = Command::new(env!("CARGO_BIN_EXE_sign-many"));
    let _owner = Running::start(other.args([&chip.device(), "1000000", "1"]));
    std::thread::sleep(std::time::Duration::from_millis(500));
    let message = sentence(info(&chip.device()));
    assert!(message.contains("is in use by another program"), "{message}");
    assert!(message.contains("atecc emulator serve"), "{message}");
    assert_eq!(fs::read(chip.eeprom()).unwrap(), before);
}

#[test]
fn a_damaged_file() {
    let chip = Chip::new();
    let mut bytes = fs::read(chip.eeprom()).unwrap();
    bytes[700] ^= 0x01;
    fs::write(chip.eeprom(), &bytes).unwrap();
    let message = sentence(info(&chip.device()));
    assert!(message.contains("damaged"), "{message}");
    assert_eq!(fs::read(chip.eeprom()).unwrap(), bytes, "the damaged file was touched");
}

#[test]
fn a_socket_that_is_no_bus() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("other.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    // It accepts and says nothing.
    let message = sentence(info(&format!("emulator:unix:{}", socket.display())));
    assert!(message.contains("not that of an emulated bus"), "{message}");
}

#[test]
fn a_chip_that_would_overwrite_another() {
    let chip = Chip::new();
    let before = fs::read(chip.eeprom()).unwrap();
    let again = run(Command::new(program("atecc")).args(["emulator", "new"]).arg(chip.eeprom()));
    assert!(sentence(again).contains("is not overwritten"));
    assert_eq!(fs::read(chip.eeprom()).unwrap(), before);
}

/// And one that comes back is used again, by the same process.
#[test]
fn a_bus_that_comes_back() {
    let chip = Chip::new();
    let mut bus = chip.serve();
    let mut signer = Command::new(env!("CARGO_BIN_EXE_sign-many"));
    let signer = Running::start(signer.args([&bus.device(), "30", "1"]));
    std::thread::sleep(std::time::Duration::from_millis(600));
    bus.server.kill();
    let _bus = chip.serve();
    let output = signer.finish(std::time::Duration::from_secs(60)).succeeded();
    let last = output.text().lines().last().unwrap().to_owned();
    assert!(!last.contains("error"), "{}", output.all());
}

#[test]
fn a_bus_that_dies_in_the_middle() {
    let chip = Chip::new();
    let mut bus = chip.serve();
    let mut signer = Command::new(env!("CARGO_BIN_EXE_sign-many"));
    let signer = Running::start(signer.args([&bus.device(), "10", "1"]));
    std::thread::sleep(std::time::Duration::from_millis(600));
    bus.server.kill();
    let output = signer.finish(std::time::Duration::from_secs(300));
    let last = output.text().lines().last().unwrap().to_owned();
    assert!(last.contains("is `atecc emulator serve` running?"), "{last}");
}
