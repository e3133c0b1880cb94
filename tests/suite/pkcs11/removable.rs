//! Chips that go and come back while a program runs.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{Configured, run};
use crate::{
    c_surface::Program,
    support::{Chip, module},
};

/// A program that says what it waits for, a line each, and goes on when it gets a line.
struct Conversation {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Conversation {
    #[track_caller]
    fn expect(&mut self, line: &str) {
        let mut said = String::new();
        self.said.read_line(&mut said).unwrap();
        assert_eq!(said, format!("{line}\n"));
    }

    fn go_on(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_token_that_went_ends_its_sessions_and_a_new_one_works_when_it_is_back() {
    let chip = Chip::new();
    let bus = chip.serve();
    let program = Program::compile("removable");
    let mut command = Command::new("timeout");
    command.arg("60").arg(&program.path).arg(module()).env("ATECC_DEVICE", bus.device());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(child.stdout.take().unwrap());
    let mut conversation = Conversation { child, said };
    conversation.expect("pull");
    let socket = bus.socket.clone();
    drop(bus);
    conversation.go_on();
    conversation.expect("plug");
    // The program waits already when the chip comes.
    conversation.go_on();
    thread::sleep(Duration::from_millis(700));
    let _ = std::fs::remove_file(&socket);
    let bus = chip.serve();
    conversation.expect("pull");
    let socket = bus.socket.clone();
    drop(bus);
    conversation.go_on();
    conversation.expect("plug");
    let _ = std::fs::remove_file(&socket);
    let _bus = chip.serve();
    conversation.go_on();
    conversation.expect("no failures");
    assert!(conversation.child.wait().unwrap().success());
}

#[test]
fn waiting_ends_with_finalize_where_nothing_comes_or_goes() {
    let chip = Chip::new();
    let program = Program::compile("removable");
    let start = Instant::now();
    let mut command = Command::new("timeout");
    command.arg("30").arg(&program.path).arg(module()).arg("fixed").env("ATECC_DEVICE", chip.device());
    assert_eq!(run(&mut command).succeeded().text(), "no failures\n");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn each_device_is_a_slot_and_an_absent_one_stands_in_nobodys_way() {
    let (one, other) = (Configured::new(""), Configured::new(""));
    let devices = format!(
        "{}?clock=virtual;emulator:unix:/nonexistent/bus;{}?clock=virtual",
        one.chip.device(),
        other.chip.device()
    );
    let tool = |arguments: &[&str]| {
        let mut command = one.pkcs11_tool(arguments);
        run(command.env("ATECC_DEVICE", &devices))
    };
    let slots = tool(&["--list-slots"]).succeeded().text();
    assert_eq!(slots.matches("token label").count(), 2, "{slots}");
    assert!(slots.contains("Slot 2 (0x2)") && slots.contains("(empty)"), "{slots}");
    let id = |slot: &str| {
        let list = ["--slot", slot, "--list-objects", "--type", "privkey"];
        let keys = tool(&list).succeeded().text();
        keys.lines().find(|line| line.contains("ID:")).unwrap().to_owned()
    };
    assert_ne!(id("0"), id("2"));
    assert!(!tool(&["--slot", "1", "--list-objects"]).status.success());
}
