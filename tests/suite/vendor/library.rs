//! How the tests ask a chip through the vendor's library.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{BUS_NUMBER, give_i2c_dev, record, repository, run_with_input, target_directory, unhex};

/// The address of Trust&GO parts, in eight bits as the vendor writes it.
const TRUST_AND_GO: u8 = 0x6a;

/// What the library answered to one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The call, shortened, for messages.
    call: String,
    /// The vendor's name of the status.
    status: String,
    /// Bytes as x:HEX, a number, or nothing.
    result: String,
}

impl Answer {
    /// The bytes that came with success.
    #[track_caller]
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.succeeded();
        unhex(self.result.strip_prefix("x:").unwrap_or_else(|| panic!("no bytes in {self:?}")))
    }

    /// The same, as many as the caller knows that there are.
    #[track_caller]
    pub(super) fn array<const N: usize>(&self) -> [u8; N] {
        self.bytes().try_into().unwrap()
    }

    /// The number that came with success.
    #[track_caller]
    pub(super) fn number(&self) -> u32 {
        self.succeeded();
        self.result.parse().unwrap()
    }

    /// Whether the chip did it.
    pub(super) fn is_success(&self) -> bool {
        self.status == "ATCA_SUCCESS"
    }

    /// Asserts success.
    #[track_caller]
    pub(super) fn succeeded(&self) {
        self.ended_with("ATCA_SUCCESS");
    }

    /// Asserts any status but success.
    #[track_caller]
    pub(super) fn failed(&self) {
        assert!(!self.is_success(), "{}", self.call);
    }

    /// Asserts this status.
    #[track_caller]
    pub(super) fn ended_with(&self, status: &str) {
        assert_eq!(self.status, status, "{}", self.call);
    }
}

/// Asks the chip on the bus behind `socket`, in one process and in this order. `tests/vendor/chip.py` knows the
/// calls.
#[track_caller]
pub(super) fn ask<const N: usize>(socket: &Path, calls: [&str; N]) -> [Answer; N] {
    answers(&mut command(socket, TRUST_AND_GO), &calls).try_into().unwrap()
}

/// The same for any number of calls to the chip at `address`, in eight bits.
#[track_caller]
pub(super) fn ask_at(socket: &Path, address: u8, calls: &[String]) -> Vec<Answer> {
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    answers(&mut command(socket, address), &calls)
}

/// The same, with what crosses the bus in `log`.
#[track_caller]
pub(super) fn ask_recorded<const N: usize>(socket: &Path, log: &Path, calls: [&str; N]) -> [Answer; N] {
    answers(record(&mut command(socket, TRUST_AND_GO), log), &calls).try_into().unwrap()
}

/// The same to the chip at `address`, in eight bits.
#[track_caller]
pub(super) fn ask_recorded_at(socket: &Path, address: u8, log: &Path, calls: &[String]) -> Vec<Answer> {
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    answers(record(&mut command(socket, address), log), &calls)
}

/// `bytes` as an argument of a call.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("x:".to_owned(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn command(socket: &Path, address: u8) -> Command {
    let mut command = Command::new(python());
    command.arg(repository().join("tests/vendor/chip.py")).args([BUS_NUMBER, &address.to_string()]);
    give_i2c_dev(&mut command, socket);
    command
}

#[track_caller]
fn answers(command: &mut Command, calls: &[&str]) -> Vec<Answer> {
    let input: String = calls.iter().map(|call| format!("{call}\n")).collect();
    let output = run_with_input(command, input.as_bytes()).succeeded().text();
    assert_eq!(output.lines().count(), calls.len(), "not one answer per call:\n{output}");
    let answer = |(line, call): (&str, &&str)| {
        let (status, result) = line.split_once(' ').unwrap_or((line, ""));
        // Its beginning says which call it was; the rest may be hundreds of bytes.
        let call = call.get(..60).unwrap_or(call);
        Answer { call: call.into(), status: status.into(), result: result.into() }
    };
    output.lines().zip(calls).map(answer).collect()
}

/// The interpreter of the virtual environment that has the library in the pinned version.
pub(crate) fn python() -> PathBuf {
    let environment = target_directory().join("vendor");
    let pinned = fs::read(repository().join("tests/vendor/requirements.txt")).unwrap();
    assert!(
        fs::read(environment.join("requirements.txt")).is_ok_and(|installed| installed == pinned),
        "Microchip's library is not installed in {}, or not in the pinned version; `tests/run` installs it",
        environment.display()
    );
    environment.join("bin/python")
}
