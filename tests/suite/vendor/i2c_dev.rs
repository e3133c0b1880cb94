//! The preload library itself: /dev/i2c-1 as the kernel's documentation describes it.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command, thread, time::Duration};

use atecc::{PublicKey, Signature, Slot};
use atecc_token::Token;

use crate::support::{
    Chip, I2C_DEV, Running, give_i2c_dev, messages, program, record, repository, run, unhex,
};

fn atecc(socket: &Path, device: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program("atecc"));
    give_i2c_dev(command.args(["--device", device]).args(arguments), socket);
    command
}

/// Runs one check of `tests/preload/check.py`.
#[track_caller]
fn check(name: &str, nack: Option<&str>) {
    let chip = Chip::new();
    let bus = chip.serve();
    let mut python = Command::new("python3");
    python.arg(repository().join("tests/preload/check.py")).arg(name).env("FOLDER", chip.folder());
    if let Some(nack) = nack {
        python.env("ATECC_PRELOAD_NACK", nack);
    }
    run(give_i2c_dev(&mut python, &bus.socket)).succeeded();
}

#[test]
fn a_missing_acknowledgement_is_enxio() {
    check("missing_acknowledgement", None);
}

#[test]
fn a_missing_acknowledgement_is_eremoteio_on_adapters_that_say_so() {
    check("missing_acknowledgement", Some("EREMOTEIO"));
}

/// No error, but fewer messages than were asked for: whoever does not count takes it for an answer.
#[test]
fn our_driver_wakes_and_polls_a_chip_whatever_the_adapter_says_for_no_acknowledgement() {
    for nack in ["ENXIO", "EREMOTEIO", "SHORT"] {
        let chip = Chip::new();
        let bus = chip.serve();
        let mut sign = Command::new(env!("CARGO_BIN_EXE_sign-many"));
        sign.args([I2C_DEV, "3", "1"]).env("ATECC_PRELOAD_NACK", nack);
        let log = chip.path("log");
        let signed = run(record(give_i2c_dev(&mut sign, &bus.socket), &log)).succeeded().text();
        assert_eq!(signed.lines().filter(|line| !line.starts_with("error")).count(), 3, "{nack}: {signed}");
        // The wake pulse of each transaction, and a chip at work.
        let refused = messages(&log).iter().filter(|message| !message.is_acknowledged).count();
        assert!(refused > 9, "{nack}: {refused}");
        // A chip that is not there is not taken for one.
        let missing = format!("{I2C_DEV}?address=0x60");
        let mut info = atecc(&bus.socket, &missing, &["info"]);
        let info = run(info.env("ATECC_PRELOAD_NACK", nack)).failed_with(1);
        assert!(info.stderr.contains("no chip answers at I2C address 0x60"), "{nack}: {}", info.stderr);
    }
}

#[test]
fn write_and_read_give_lengths_and_i2c_rdwr_the_number_of_messages() {
    check("lengths_and_counts", None);
}

#[test]
fn wrong_arguments_are_refused_as_by_the_kernel() {
    check("arguments", None);
}

#[test]
fn copies_of_a_descriptor_are_one_open_file() {
    check("descriptors", None);
}

#[test]
fn parent_and_children_share_the_bus_after_fork() {
    check("forks", None);
}

#[test]
fn a_program_that_is_started_closes_nothing_of_its_parent() {
    check("programs", None);
}

#[test]
fn threads_share_a_descriptor() {
    check("threads", None);
}

#[test]
fn the_node_and_a_link_to_it_are_there_and_no_other() {
    check("names", None);
}

#[test]
fn our_command_line_finds_the_chip_on_the_node() {
    let chip = Chip::new();
    let bus = chip.serve();
    let info = run(&mut atecc(&bus.socket, I2C_DEV, &["info"])).succeeded().text();
    assert!(chip.common_name().strip_prefix("sn").is_some_and(|serial| info.contains(serial)), "{info}");
}

#[test]
fn without_a_server_there_is_no_node() {
    let folder = tempfile::tempdir().unwrap();
    let info = run(&mut atecc(&folder.path().join("bus.sock"), I2C_DEV, &["info"])).failed_with(1);
    assert!(info.stderr.contains("/dev/i2c-1") && info.stderr.contains("No such file"), "{}", info.stderr);
}

/// The log has every message, and those of the driver among them are whole.
#[test]
fn the_log_has_what_crossed_the_bus() {
    let chip = Chip::new();
    let bus = chip.serve();
    let log = chip.path("log");
    run(record(&mut atecc(&bus.socket, I2C_DEV, &["random"]), &log)).succeeded();
    let messages = messages(&log);
    let first = &messages[0];
    assert!(first.address == 0 && !first.is_read && !first.is_acknowledged, "no wake pulse: {first:?}");
    assert!(messages.iter().skip(1).all(|message| message.address == 0 || message.address == 0x35));
    let woken = &messages[1];
    assert!(woken.is_read && woken.bytes == [0x04, 0x11, 0x33, 0x43], "{woken:?}");
    assert_eq!(messages.last().unwrap().bytes, [0x01], "the chip was not put to sleep");
}

/// Programs on the node, on a link to it, and on the socket itself: one bus, one lock.
#[test]
fn the_lock_holds_between_all_ways_to_the_bus() {
    let chip = Chip::new();
    let bus = chip.serve();
    let link = chip.path("by-id");
    symlink("/dev/i2c-1", &link).unwrap();
    let devices = [I2C_DEV.to_owned(), format!("i2c:{}", link.display()), bus.device()];
    let running: Vec<Running> = (0..6)
        .map(|seed| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_sign-many"));
            command.args([&devices[seed % devices.len()], "10", &seed.to_string()]);
            Running::start(give_i2c_dev(&mut command, &bus.socket))
        })
        .collect();
    let outputs: Vec<String> = thread::scope(|scope| {
        let waiting: Vec<_> = running
            .into_iter()
            .map(|process| scope.spawn(|| process.finish(Duration::from_secs(120)).succeeded().text()))
            .collect();
        waiting.into_iter().map(|process| process.join().unwrap()).collect()
    });
    let token = Token::open(&bus.device().parse().unwrap()).unwrap();
    let key: PublicKey = token.public_key(Slot::PRIMARY_KEY).unwrap();
    let lines: Vec<&str> = outputs.iter().flat_map(|output| output.lines()).collect();
    assert_eq!(lines.len(), 60);
    for line in lines {
        let (digest, signature) = line.split_once(' ').unwrap();
        let signature =
            Signature::from_bytes(unhex(signature).try_into().unwrap_or_else(|_| panic!("{line}")));
        assert!(key.verify(&unhex(digest).try_into().unwrap(), &signature), "{line}");
    }
    assert!(fs::exists(chip.path("bus.sock.lock")).unwrap());
}
