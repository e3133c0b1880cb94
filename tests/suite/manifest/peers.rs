//! What Microchip's own tool and PyJWT with cryptography say of our manifests, and we of Microchip's.
//!
//! They are required: where they are missing, these tests fail and say that `tests/run` installs them.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use super::made::{LogSigner, verify_file};
use crate::support::{Chip, Finished, repository, run, target_directory};

#[track_caller]
fn check(arguments: &[&Path]) -> Finished {
    python("check.py", arguments)
}

/// Runs a program of `tests/manifest`.
#[track_caller]
pub(super) fn python(name: &str, arguments: &[&Path]) -> Finished {
    let environment = target_directory().join("manifest");
    let pinned = fs::read(repository().join("tests/manifest/requirements.txt")).unwrap();
    assert!(
        fs::read(environment.join("requirements.txt")).is_ok_and(|installed| installed == pinned),
        "pytrustplatform is not installed in {}, or not in the pinned version; `tests/run` installs it",
        environment.display()
    );
    let mut python = Command::new(environment.join("bin/python"));
    run(python.arg(repository().join("tests/manifest").join(name)).args(arguments))
}

#[test]
fn others_believe_what_we_make() {
    let (chip, log_signer) = (Chip::new(), LogSigner::new());
    let (file, root) = (chip.path("manifest.json"), chip.path("root.pem"));
    let made = log_signer.create(&chip).succeeded().text();
    fs::write(&file, &made).unwrap();
    let verify = || check(&["verify".as_ref(), &file, &log_signer.certificate(), &root]);
    let believed = verify().succeeded().text();
    assert!(chip.common_name().eq_ignore_ascii_case(&format!("sn{}", believed.trim())), "{believed}");

    // They do look: with one letter changed they do not believe it.
    let payload = serde_json::from_str::<Value>(&made).unwrap()[0]["payload"].as_str().unwrap().to_owned();
    let other = if payload.ends_with('Q') { "g" } else { "Q" };
    fs::write(&file, made.replace(&payload, &format!("{}{other}", &payload[..payload.len() - 1]))).unwrap();
    verify().failed_with(1);
}

#[test]
fn we_believe_what_microchips_tool_makes() {
    let (chip, log_signer) = (Chip::new(), LogSigner::new());
    let (file, root, certificate) =
        (chip.path("manifest.json"), chip.path("root.pem"), log_signer.certificate());
    let (device, signer) = (chip.path("device.pem"), chip.path("signer.pem"));
    check(&["create".as_ref(), &file, &certificate, &log_signer.key(), &device, &signer]).succeeded();
    let trusted = [("--log-signer", certificate.as_path()), ("--root", root.as_path())];
    let report = run(&mut verify_file(&file, &trusted)).succeeded().stdout;
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!((&report["verified"], &report["entries"]), (&1.into(), &1.into()));
}
