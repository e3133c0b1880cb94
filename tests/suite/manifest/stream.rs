//! Manifests that are longer than the memory they may take.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::Value;

use super::made::verify_file;
use crate::support::{program, run};

/// 80 MB through a pipe; what the process holds of it is read while it waits for the last byte.
#[test]
fn a_long_manifest_needs_little_memory() {
    const ENTRIES: usize = 20_000;
    let folder = tempfile::tempdir().unwrap();
    run(Command::new(env!("CARGO_BIN_EXE_manifest-entries")).arg(folder.path()).arg("100")).succeeded();
    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.path().join("manifest.json")).unwrap()).unwrap();
    let entries: Vec<String> = manifest.as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(entries.len(), 100);
    let hundred = entries.join(",");

    // Built before, so that its time does not count.
    program("atecc");
    let (log_signer, root) = (folder.path().join("log_signer.pem"), folder.path().join("root.pem"));
    let mut command =
        verify_file("-".as_ref(), &[("--log-signer", log_signer.as_path()), ("--root", root.as_path())]);
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(b"[").unwrap();
    for round in 0..ENTRIES / entries.len() {
        stdin.write_all(if round == 0 { b"" } else { b"," }).unwrap();
        stdin.write_all(hundred.as_bytes()).unwrap();
    }
    thread::sleep(Duration::from_millis(500));
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: usize = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    stdin.write_all(b"]").unwrap();
    drop(stdin);
    let output = process.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["verified"], ENTRIES);
    assert!(output.status.success());
    assert!(peak < 50_000, "{peak} kB");
}
