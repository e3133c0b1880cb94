//! Manifests that Microchip signed.

use std::path::PathBuf;

use serde_json::Value;

use super::{
    forge::{no_changed_byte_is_believed, no_changed_certificate_is_believed},
    made::{LogSigner, verify_file},
};
use crate::support::run;

/// File, entries, the log signer that signed them.
const MANIFESTS: [(&str, usize, &str); 2] = [
    ("ECC608C-TNGTLSU-B.json", 10, "Manifest Signer 005"),
    ("manifest_ATECC608A-MAH22_0123f1822c38dd7a01.json", 1, "Log Signer 001"),
];

fn path(name: &str) -> PathBuf {
    PathBuf::from(option_env!("ATECC_TEST_DATA").unwrap_or_default()).join("manifests").join(name)
}

#[cfg_attr(not(real_data), ignore = "real manifests are not here; ATECC_TEST_DATA names their folder")]
#[test]
fn both_real_manifests_verify() {
    for (name, entries, log_signer) in MANIFESTS {
        let output = run(&mut verify_file(&path(name), &[])).succeeded();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&report["verified"], &report["entries"]), (&entries.into(), &entries.into()));

        let mut show = std::process::Command::new(crate::support::program("atecc"));
        let output = run(show.args(["manifest", "show", "--json"]).arg(path(name))).succeeded();
        let chips: Value = serde_json::from_slice(&output.stdout).unwrap();
        let chips = chips.as_array().unwrap();
        assert_eq!(chips.len(), entries);
        for chip in chips {
            assert_eq!((&chip["log_signer"], &chip["result"]), (&log_signer.into(), &"verified".into()));
            assert_eq!(chip["keys"].as_array().unwrap().len(), 5);
        }
    }
}

#[cfg_attr(not(real_data), ignore = "real manifests are not here; ATECC_TEST_DATA names their folder")]
#[test]
fn no_changed_byte_of_a_real_manifest_is_believed() {
    let log_signer = LogSigner::new();
    let certificate = log_signer.certificate();
    for (name, ..) in MANIFESTS {
        let manifest: Value = serde_json::from_slice(&std::fs::read(path(name)).unwrap()).unwrap();
        no_changed_byte_is_believed(&manifest[0], &[]);
        no_changed_certificate_is_believed(&manifest[0], &log_signer, &[("--log-signer", &certificate)]);
    }
}
