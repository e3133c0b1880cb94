//! The log: for people, for programs, for the journal.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use super::{LINES, Stage};
use crate::support::run;

/// Sends one message; gives what it logged to a file, in which form the journal is told to be or not.
fn logged(stage: &Stage, arguments: &[&str], in_journal: bool) -> String {
    let path = stage.cloud.path("log");
    let file = File::create(&path).unwrap();
    let metadata = file.metadata().unwrap();
    // systemd names the file; another one's name is no reason to write as for the journal.
    let number = if in_journal { metadata.ino() } else { metadata.ino() + 1 };
    let agent = stage.command(LINES);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg("exec \"$@\" 2>\"$LOG\"").arg("sh").arg(agent.get_program()).args(agent.get_args());
    shell.args(arguments).arg("--once").env_remove("ATECC_LOG").env_remove("ATECC_DEVICE");
    shell.env("LOG", &path).env("JOURNAL_STREAM", format!("{}:{number}", metadata.dev()));
    run(&mut shell).succeeded();
    drop(agent);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_journal_gets_priorities_and_no_times() {
    let stage = Stage::new();
    let journal = logged(&stage, &[], true);
    assert!(journal.lines().all(|line| line.starts_with("<6>") || line.starts_with("<4>")), "{journal}");
    assert!(journal.contains("<6> INFO atecc_agent"), "{journal}");
    let file = logged(&stage, &[], false);
    assert!(file.lines().all(|line| line.starts_with("20")), "{file}");
}

#[test]
fn json_is_an_object_a_line() {
    let stage = Stage::new();
    for in_journal in [false, true] {
        let log = logged(&stage, &["--log-format", "json"], in_journal);
        let mut messages = Vec::new();
        for line in log.lines() {
            let json = if in_journal { &line[3..] } else { line };
            let object: serde_json::Value =
                serde_json::from_str(json).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert!(object["level"].is_string() && object["target"].is_string(), "{line}");
            messages.push(object["message"].as_str().unwrap().to_owned());
        }
        assert!(messages.iter().any(|message| message.contains("PUBACK")), "{messages:?}");
    }
}
