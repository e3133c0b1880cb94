//! What the program `gateway` does at length, in a small edition: the agent killed while messages flow, and attacked.
//! docs/agent.md has its figures.

use std::process::Command;
use std::time::Duration;

use crate::support::{Running, program};

/// `gateway` with these arguments.
#[track_caller]
fn gateway(arguments: &[&str]) -> String {
    // Built beside it.
    program("atecc-agent");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    let output = Running::start(command.args(arguments)).finish(Duration::from_secs(300));
    assert!(output.status.success(), "{}", output.all());
    output.text()
}

#[test]
fn nothing_that_was_accepted_is_lost_when_agent_and_broker_are_killed_and_the_disk_is_full() {
    let said = gateway(&[
        "kills",
        "--kills",
        "20",
        "--broker-kills",
        "3",
        "--full-disks",
        "2",
        "--messages",
        "2000",
    ]);
    assert!(said.contains("of which lost 0; arrived 2000 different messages of 2000"), "{said}");
}

#[test]
fn nor_with_a_real_broker_that_is_started_again() {
    let arguments =
        ["kills", "--kills", "8", "--broker-kills", "3", "--full-disks", "0", "--messages", "1200"];
    let said = gateway(&[&arguments[..], &["--broker", "mosquitto"]].concat());
    assert!(said.contains("of which lost 0; arrived 1200 different messages of 1200"), "{said}");
}

#[test]
fn hostile_programs_on_the_machine_cost_bounded_memory_and_hold_nobody_up() {
    let said = gateway(&["flood", "--seconds", "1"]);
    assert!(said.contains(", 0 lost; cut 0 times; links to the cloud: 1"), "{said}");
}
