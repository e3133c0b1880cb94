//! `atecc manifest bulk`: what AWS's own bulk registration takes, by its documented grammar.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use super::{made::LogSigner, peers};
use crate::support::{Chip, program, run};

const ENTRIES: usize = 40;

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_manifest-entries"));
        run(command.arg(folder.path()).arg(ENTRIES.to_string())).succeeded();
        Self { folder }
    }

    fn bulk(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("atecc"));
        command.args(["manifest", "bulk"]).arg(self.folder.path().join("manifest.json"));
        command.arg("--log-signer").arg(self.folder.path().join("log_signer.pem"));
        command.arg("--root").arg(self.folder.path().join("root.pem"));
        command.arg("--out").arg(self.out()).args(arguments);
        command
    }

    fn out(&self) -> std::path::PathBuf {
        self.folder.path().join("bulk")
    }
}

/// A checker that was written from AWS's pages, and knows nothing of this project.
#[track_caller]
fn check(folder: &Path) -> String {
    peers::python("bulk.py", &[folder]).succeeded().text()
}

#[test]
fn template_and_parameters_are_what_aws_documents() {
    let files = Files::new();
    let variants: [(&[&str], &str); 4] = [
        (&[], "CertificatePem policy"),
        (&["--group", "pumps", "--policy", "pump"], "CertificatePem group policy"),
        (&["--group", "pumps", "--no-policy", "--thing", "pump-{serial}"], "CertificatePem group"),
        (&["--registered"], "CertificateId policy"),
    ];
    for (arguments, expected) in variants {
        let said = run(&mut files.bulk(arguments)).succeeded().text();
        assert!(said.contains("start-thing-registration-task"), "{said}");
        assert_eq!(check(&files.out()).trim(), format!("{ENTRIES} things, {expected}"));
    }
    let lines = fs::read_to_string(files.out().join("parameters.ndjson")).unwrap();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["ThingName"], "sn012300000000000001");

    // The checker does look.
    let path = files.out().join("template.json");
    let mut template: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    template["Resources"]["certificate"]["Properties"]["CertificatePem"] = json!("one more");
    fs::write(&path, template.to_string()).unwrap();
    let refused = peers::python("bulk.py", &[&files.out()]).failed_with(1).stderr;
    assert!(refused.contains("one way to name a certificate"), "{refused}");
}

#[test]
fn entries_that_are_not_believed_leave_no_parameters_behind() {
    let files = Files::new();
    let manifest = files.folder.path().join("manifest.json");
    let mut entries: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    entries[7]["header"]["uniqueId"] = "012300000000ffff01".into();
    fs::write(&manifest, entries.to_string()).unwrap();
    let refused = run(&mut files.bulk(&[])).failed_with(1);
    assert!(refused.stderr.contains("1 of 40 entries are not to be believed"), "{}", refused.stderr);
    assert!(!files.out().join("parameters.ndjson").exists());
    let finished = run(&mut files.bulk(&["--skip-refused", "--json"])).failed_with(1);
    let report: Value = serde_json::from_slice(&finished.stdout).unwrap();
    assert_eq!((&report["written"], &report["refused"]), (&json!(ENTRIES - 1), &json!(1)));
    assert_eq!(report["problems"][0]["entry"], 8);
}

#[test]
fn an_emulated_chips_own_manifest_goes_the_same_way() {
    let (chip, log_signer) = (Chip::new(), LogSigner::new());
    let (manifest, out) = (chip.path("manifest.json"), chip.path("bulk"));
    fs::write(&manifest, log_signer.create(&chip).succeeded().stdout).unwrap();
    let mut atecc = chip.atecc();
    atecc.args(["manifest", "bulk"]).arg(&manifest).arg("--log-signer").arg(log_signer.certificate());
    run(atecc.arg("--root").arg(chip.path("root.pem")).arg("--out").arg(&out)).succeeded();
    assert_eq!(check(&out).trim(), "1 things, CertificatePem policy");
}
