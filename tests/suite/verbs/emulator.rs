//! `emulator new` makes each of the parts.

use std::{fs, process::Command};

use crate::support::{Chip, program, run};

#[test]
fn every_part_can_be_made_and_says_that_it_is_emulated() {
    let folder = tempfile::tempdir().unwrap();
    for (part, name, address) in [
        ("tngtls", "ATECC608B-TNGTLS", "0x35"),
        ("tngtls-2", "ATECC608A-TNGTLS", "0x35"),
        ("tflxtls", "ATECC608B-TFLXTLS", "0x36"),
        ("tnglora", "ATECC608A-TNGLORA", "0x59"),
        ("blank", "ATECC608A", "0x60"),
    ] {
        let file = folder.path().join(part);
        let made = run(Command::new(program("atecc")).args(["emulator", "new", "--part", part]).arg(&file));
        assert!(made.succeeded().text().contains(&format!("an emulated {name} with serial number")));
        let device = format!("emulator:{}", file.display());
        let info = run(Command::new(program("atecc")).args(["--device", &device, "info"])).succeeded().text();
        assert!(info.contains("EMULATOR") && info.contains(&format!("I2C address   {address}")), "{info}");
        assert_eq!(info.contains("NOT locked"), part == "blank", "{info}");
    }
}

#[test]
fn a_served_bus_logs_wakes_commands_and_times_but_no_bytes() {
    let chip = Chip::new();
    let log = chip.path("bus.log");
    let bus = chip.serve_with(&["--log", log.to_str().unwrap()]);
    let mut sign = Command::new(program("atecc"));
    sign.args(["--device", &bus.device(), "sign", "--format", "raw", "--digest", &"5a".repeat(32)]);
    let signature = run(&mut sign).succeeded().stdout;
    bus.server.interrupt().succeeded();

    let log = fs::read_to_string(log).unwrap();
    for (command, took) in
        [("Random(0x00, 0x0000)", 5..40), ("Nonce(0x43, 0x0000)", 0..5), ("Sign(0xa0, 0x0000)", 30..90)]
    {
        let line =
            log.lines().find(|line| line.contains(command)).unwrap_or_else(|| panic!("{command}:\n{log}"));
        let milliseconds: f64 = between(line, "Success after ", " ms");
        assert!(took.contains(&(milliseconds as i32)), "{line}");
        // A byte takes 90 µs.
        let bus: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        let bytes: f64 = between(line, "write ", " bytes");
        assert!((bus - 0.09 * bytes).abs() < 0.2, "{line}");
    }
    for expected in ["  wake", "0x35 read not acknowledged", "0x35 read 67 bytes", "0x35 sleep"] {
        assert!(log.contains(expected), "{expected} is not in\n{log}");
    }
    let last = log.lines().last().unwrap();
    assert!(
        last.starts_with("in all: ") && last.contains(" wakes, ") && last.contains(" commands; chip "),
        "{last}"
    );
    // Neither what was signed nor the signature.
    let signature: String = signature[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!log.contains("5a5a5a") && !log.contains(&signature), "{log}");
}

#[test]
fn the_log_of_a_served_bus_can_be_its_standard_output() {
    let chip = Chip::new();
    let bus = chip.serve_with(&["--log", "-"]);
    run(Command::new(program("atecc")).args(["--device", &bus.device(), "random"])).succeeded();
    let printed = bus.server.interrupt().succeeded().text();
    assert!(
        printed.contains("EMULATOR: serving") && printed.contains(" Random(0x00, 0x0000), Success"),
        "{printed}"
    );
}

/// The number between two words of a line.
#[track_caller]
fn between(line: &str, before: &str, behind: &str) -> f64 {
    let (_, rest) = line.split_once(before).unwrap_or_else(|| panic!("no {before}in {line}"));
    rest.split_once(behind).unwrap().0.parse().unwrap()
}
