//! The programs on a real kernel: Debian's own, in QEMU, with a /dev/i2c-0 and a
//! /dev/ttyUSB0 that its own drivers make, and an emulated chip behind each, and a /dev/gpiochip0 of an emulated adapter.
//! `tests/kernel/run` boots it, once for all of these tests, and what each step said lies in a folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
    time::Duration,
};

use super::support::{Running, products, program, repository, run, target_directory};

/// Where a step was taken.
const I2C: &str = "i2c";
const SERIAL: &str = "serial";

/// Boots and does everything in 40 s on a machine with nothing else to do.
const GUEST_LIMIT: Duration = Duration::from_secs(290);

/// The folder that the guest left.
fn guest() -> &'static Path {
    // Where it fails once, it is not tried again for each test.
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernel");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        let mut script = Command::new(repository().join("tests/kernel/run"));
        script.env("CARGO_TARGET_DIR", target_directory());
        let helpers = Path::new(env!("CARGO_BIN_EXE_kernel-bus")).parent().unwrap();
        Running::start(script.arg(products()).arg(helpers).arg(&folder)).finish(GUEST_LIMIT).succeeded();
        folder
    });
    &FOLDER
}

fn read(file: &str) -> String {
    let path = guest().join(file);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    String::from_utf8_lossy(&bytes).trim_end().to_owned()
}

/// What the step printed, if it exited with `status`.
#[track_caller]
fn exited(way: &str, step: &str, status: i32) -> String {
    let output = read(&format!("{way}/{step}.out"));
    assert_eq!(read(&format!("{way}/{step}.status")), status.to_string(), "{way} {step}: {output}");
    output
}

#[track_caller]
fn succeeded(way: &str, step: &str) -> String {
    exited(way, step, 0)
}

/// The common name in the chip's certificate.
fn name(way: &str) -> String {
    read(&format!("{way}/name"))
}

#[test]
fn the_kernel_is_debians_and_so_are_the_drivers() {
    let kernel = read("kernel");
    assert!(kernel.starts_with("Linux ") && kernel.contains("Debian"), "{kernel}");
    assert!(read("i2c/adapter").starts_with("i2c-tiny-usb at bus"), "{}", read("i2c/adapter"));
    assert!(read("serial/adapter").ends_with("/ftdi_sio"), "{}", read("serial/adapter"));
}

#[test]
fn a_general_call_through_the_kernel_wakes_the_chip() {
    // i2ctransfer knows nothing of the chip. Both transfers are not acknowledged, and the second one wakes.
    for refused in ["asleep", "wake"] {
        let output = exited(I2C, refused, 1);
        assert!(output.contains("No such device or address"), "{output}");
    }
    assert_eq!(succeeded(I2C, "awake"), "0x04 0x11 0x33 0x43");
    succeeded(I2C, "sleep");
    // What the chip's side of the bus saw.
    let log = read("i2c/bus.log");
    let events: Vec<&str> = log.lines().filter_map(|line| line.get(23..)).collect();
    assert_eq!(
        &events[..4],
        ["0x35 read not acknowledged", "wake", "0x35 read 4 bytes", "0x35 sleep"],
        "{log}"
    );
}

#[test]
fn every_transaction_over_i2c_begins_with_a_wake_that_is_answered() {
    let log = read("i2c/bus.log");
    let lines: Vec<&str> = log.lines().collect();
    let wakes: Vec<usize> = (0..lines.len()).filter(|&at| lines[at].ends_with("  wake")).collect();
    // The steps of the guest make more than ten transactions.
    assert!(wakes.len() > 10, "{log}");
    for wake in wakes {
        assert!(lines[wake + 1].ends_with("0x35 read 4 bytes"), "{wake}: {log}");
    }
    assert!(!log.contains("too short"), "{log}");
}

#[test]
fn info_names_the_chip_and_its_way() {
    for (way, device) in [(I2C, "i2c:/dev/i2c-0"), (SERIAL, "serial:/dev/ttyUSB0")] {
        let info = succeeded(way, "info");
        assert!(info.contains(device) && info.contains(name(way).trim_start_matches("sn")), "{info}");
        // A bus cannot say that its chip is emulated; a bridge does.
        assert_eq!(info.contains("EMULATOR"), way == SERIAL, "{info}");
    }
}

#[test]
fn openssl_verifies_what_atecc_signed() {
    for way in [I2C, SERIAL] {
        succeeded(way, "sign");
        assert!(succeeded(way, "verify").contains("Verified OK"));
    }
}

#[test]
fn random_numbers_come_from_the_chip() {
    let [one, other] = [I2C, SERIAL].map(|way| succeeded(way, "random"));
    assert!(one.len() >= 64 && other.len() >= 64, "{one} {other}");
    assert_ne!(one, other);
}

/// The certificates of an emulated chip are worth nothing, and a kernel's bus does not say that its chip is one: the
/// doctor says so, and finds no other fault.
#[test]
fn doctor_trusts_no_emulated_chip_on_a_bus_and_finds_nothing_else() {
    let wrong = |output: String| -> Vec<String> {
        let json = &output[..=output.rfind('}').unwrap()];
        let report: serde_json::Value = serde_json::from_str(json).unwrap();
        let findings = report["findings"].as_array().unwrap();
        assert!(findings.iter().any(|finding| finding["check"] == "wake" && finding["state"] == "ok"));
        // A guest that shares its processors with other work may be too late for the chip's watchdog now and then. The
        // driver repeats what was lost, and the doctor counts that.
        let is_late =
            |finding: &&serde_json::Value| finding["check"] == "transfers" && finding["state"] == "warning";
        let wrong = findings.iter().filter(|finding| finding["state"] != "ok" && !is_late(finding));
        wrong.map(|finding| finding["check"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(wrong(exited(I2C, "doctor", 1)), ["certificate"]);
    assert_eq!(wrong(succeeded(SERIAL, "doctor")), Vec::<String>::new());
}

#[test]
fn openssl_is_let_in_with_the_key_in_the_chip() {
    for way in [I2C, SERIAL] {
        let page = succeeded(way, "tls");
        assert!(page.contains("HTTP/1.0 200 ok") && page.contains("TLSv1.3"), "{page}");
        assert!(page.contains("Client certificate") && page.contains(&name(way)), "{page}");
    }
}

#[test]
fn the_agent_publishes_to_mosquitto() {
    for way in [I2C, SERIAL] {
        assert_published(way);
    }
}

/// The agent heard the PUBACK, and the broker the message, from the name in the chip's certificate.
#[track_caller]
fn assert_published(way: &str) {
    let agent = succeeded(way, "agent");
    assert!(agent.contains("PUBACK"), "{agent}");
    let (broker, name) = (read("mosquitto.log"), name(way));
    assert!(broker.contains(&format!("as {name} (p2, c1, k30, u'{name}')")), "{broker}");
    assert!(broker.contains(&format!("Received PUBLISH from {name} (d0, q1")), "{broker}");
}

#[test]
fn the_led_blinks_on_a_real_gpiochip_and_is_off_at_the_end() {
    assert!(read("gpio/adapter").contains("gpiochip0"), "{}", read("gpio/adapter"));
    let agent = succeeded("gpio", "agent");
    // By the topic, by the shadow, by the topic again, and safe at the end: seen from the far end of the chip.
    assert_eq!(read("gpio/lines"), "3 on\n3 off\n3 on\n3 off", "{agent}");
    // A wire leads from it to an input.
    let contact: Vec<&str> = agent.lines().filter(|line| line.contains("input changed")).collect();
    let states: Vec<bool> = contact.iter().map(|line| line.contains("on=true")).collect();
    assert!(states.starts_with(&[true, false, true]), "{agent}");
    assert!(agent.contains("line in its safe state"), "{agent}");
}

#[test]
fn a_line_that_cannot_be_had_is_told_in_a_sentence() {
    let busy = exited("gpio", "busy", 1);
    assert!(busy.contains("line 3 of /dev/gpiochip0 is in use by \"atecc-agent\""), "{busy}");
    let missing = exited("gpio", "no-chip", 2);
    assert!(
        missing.contains("there is no GPIO chip /dev/gpiochip9; there are /dev/gpiochip0 (cp2112_gpio)"),
        "{missing}"
    );
}

/// Where it cannot run, it says in one sentence why.
#[test]
fn what_is_missing_is_said_in_a_sentence() {
    let programs = program("atecc");
    let folder = tempfile::tempdir().unwrap();
    let mut script = Command::new(repository().join("tests/kernel/run"));
    script.arg(programs.parent().unwrap()).arg(folder.path()).arg(folder.path().join("out"));
    let refused = run(&mut script).failed_with(1);
    assert!(
        refused.stderr.contains("build it first") || refused.stderr.contains("apt install"),
        "{}",
        refused.stderr
    );
}
