//! `atecc doctor` names what is wrong, and how to mend it.

mod chip;
mod way;

use std::process::Command;

use serde::Deserialize;

use super::support::{Chip, Finished, program, run};

#[derive(Debug, Deserialize)]
struct Report {
    healthy: bool,
    findings: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
struct Finding {
    check: String,
    state: String,
    found: String,
    fix: Option<String>,
}

fn doctor(device: &str) -> Command {
    let mut command = Command::new(program("atecc"));
    command.args(["--device", device, "doctor"]);
    command
}

/// The one thing that `command` finds wrong is `check`, in words with `found`, and the fix says `fix`; in JSON
/// and in text.
#[track_caller]
fn finds(mut command: Command, check: &str, found: &str, fix: &str) {
    let text = run(&mut command).failed_with(1);
    assert_eq!(text.stderr.lines().count(), 1, "{}", text.stderr);
    let (report, finished) = report(command.arg("--json"));
    finished.failed_with(1);
    assert!(!report.healthy);
    let wrong: Vec<&Finding> = report.findings.iter().filter(|finding| finding.state == "wrong").collect();
    assert_eq!(wrong.len(), 1, "{report:?}");
    let (said, advised) = (&wrong[0].found, wrong[0].fix.as_ref().unwrap());
    assert_eq!(wrong[0].check, check, "{said}");
    assert!(said.contains(found), "{said}");
    assert!(advised.contains(fix), "{advised}");
    assert!(text.text().contains(&format!("WRONG    {check}")), "{}", text.text());
    println!("{said}\n    to mend it: {advised}");
}

fn report(command: &mut Command) -> (Report, Finished) {
    let finished = run(command);
    (serde_json::from_slice(&finished.stdout).unwrap(), finished)
}

#[test]
fn a_chip_without_fault_is_healthy() {
    let chip = Chip::new();
    let text = run(&mut doctor(&chip.device())).succeeded().text();
    assert!(text.contains("EMULATOR"), "{text}");
    let bus = chip.serve();
    let (report, finished) = report(doctor(&bus.device()).arg("--json"));
    finished.succeeded();
    assert!(report.healthy);
    let checks: Vec<&str> = report.findings.iter().map(|finding| finding.check.as_str()).collect();
    for check in [
        "device",
        "wake",
        "part",
        "configuration",
        "data",
        "key",
        "certificate",
        "chain",
        "clock",
        "transfers",
    ] {
        assert!(checks.contains(&check), "{checks:?}");
    }
    assert!(
        report.findings.iter().all(|finding| finding.state == "ok" && finding.fix.is_none()),
        "{report:?}"
    );
}
