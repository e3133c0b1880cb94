//! `atecc register` and `atecc ca`, from a chip out of the bag to the first PUBACK.

mod accounts;
mod authorities;
mod chip;
mod failures;
mod methods;
mod page;
mod stub;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::{Double, ministack::Ministack};
use crate::support::{Chip, Finished, program, run};

/// `atecc` with this chip and a verb, in the network of this double, with its files in the chip's folder.
fn atecc(chip: &Chip, double: &Double, verb: &[&str]) -> Command {
    let mut command = chip.atecc();
    command.args(verb).args(["--endpoint-url", &double.url()]).current_dir(chip.folder());
    double.inside(&command)
}

/// `atecc register` for this chip, whose files come into its folder `agent`.
pub(super) fn register(chip: &Chip, double: &Double) -> Command {
    atecc(chip, double, &["register", "--out", "agent"])
}

/// The JSON that `command` prints.
#[track_caller]
fn json(command: &mut Command) -> Value {
    serde_json::from_slice(&run(command.arg("--json")).succeeded().stdout).unwrap()
}

/// What became of each step in the first account and region.
fn outcomes(report: &Value) -> Vec<&str> {
    let steps = report["registrations"][0]["steps"].as_array().unwrap();
    steps.iter().map(|step| step["outcome"].as_str().unwrap()).collect()
}

/// What the agent says that publishes once with the configuration in `folder`.
#[track_caller]
pub(super) fn agent(ministack: &Ministack, folder: &Path) -> Finished {
    agent_with(ministack, folder, |command| command)
}

/// The same, in an environment that `prepare` changes.
#[track_caller]
fn agent_with(
    ministack: &Ministack,
    folder: &Path,
    prepare: impl FnOnce(&mut Command) -> &mut Command,
) -> Finished {
    let mut command = Command::new(program("atecc-agent"));
    command.args(["run", "--once", "--config"]).arg(reachable(ministack, folder));
    run(prepare(&mut ministack.inside(&command)))
}

/// The agent with the configuration in `folder` publishes once, and its message is acknowledged.
#[track_caller]
fn to_a_puback(ministack: &Ministack, folder: &Path) {
    assert_puback(agent(ministack, folder));
}

#[track_caller]
fn assert_puback(agent: Finished) {
    let said = agent.succeeded().stderr;
    assert!(said.contains("telemetry acknowledged (PUBACK)"), "{said}");
}

/// The configuration in `folder`, with what a double adds: its endpoint is no name that is found.
pub(super) fn reachable(ministack: &Ministack, folder: &Path) -> PathBuf {
    let written = fs::read_to_string(folder.join("agent.toml")).unwrap();
    let file = folder.join("with-address.toml");
    let address = ministack.mqtt_address();
    fs::write(&file, format!("address = '{address}'\n{written}\n[outbox]\nfolder = 'outbox'\n")).unwrap();
    file
}

/// A CA of one's own, `ca.pem` with `ca.key`, in the chip's folder.
fn make_authority(chip: &Chip) {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    openssl.args(["-days", "9", "-subj", "/O=Pumps, Inc/CN=Pump CA", "-keyout", "ca.key", "-out", "ca.pem"]);
    run(openssl.current_dir(chip.folder())).succeeded();
}

/// `device.crt`, which that CA issued for the key in the chip.
fn issue(chip: &Chip, subject: &str) {
    run(chip.atecc().args(["csr", "--subject", subject, "--out"]).arg(chip.path("device.csr"))).succeeded();
    // A certificate without extensions would be one of X.509's first version.
    fs::write(chip.path("extensions"), "basicConstraints = critical, CA:FALSE\n").unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args([
        "x509",
        "-req",
        "-extfile",
        "extensions",
        "-in",
        "device.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-days",
        "9",
    ]);
    run(openssl.args(["-out", "device.crt"]).current_dir(chip.folder())).succeeded();
}
