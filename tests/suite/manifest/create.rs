//! `atecc manifest create`, and what it made.

use std::{fs, process::Command};

use serde_json::Value;

use super::{
    forge::{no_changed_byte_is_believed, no_changed_certificate_is_believed},
    made::{LogSigner, decode, verify_file},
};
use crate::support::{Chip, program, run};

#[test]
fn chips_at_hand_make_a_manifest_that_verifies() {
    let (one, two, log_signer) = (Chip::new(), Chip::new(), LogSigner::new());
    let file = one.path("manifest.json");
    let mut create = Command::new(program("atecc"));
    create.args(["manifest", "create", "--key"]).arg(log_signer.key());
    create.arg("--certificate").arg(log_signer.certificate()).arg("--out").arg(&file);
    run(create.args([one.device(), two.device()])).succeeded();

    let (certificate, root) = (log_signer.certificate(), one.path("root.pem"));
    let trusted = [("--log-signer", certificate.as_path()), ("--root", root.as_path())];
    let report: Value =
        serde_json::from_slice(&run(&mut verify_file(&file, &trusted)).succeeded().stdout).unwrap();
    assert_eq!(report["verified"], 2);

    // The chips say the same of themselves.
    let mut show = Command::new(program("atecc"));
    show.args(["manifest", "show", "--json"]).arg(&file).arg("--root").arg(&root);
    let output = run(show.arg("--log-signer").arg(&certificate)).succeeded();
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (entry, chip) in shown.as_array().unwrap().iter().zip([&one, &two]) {
        assert!(
            chip.common_name()
                .eq_ignore_ascii_case(&format!("sn{}", entry["serial_number"].as_str().unwrap()))
        );
        assert_eq!(entry["certificates"], fs::read_to_string(chip.path("chain.pem")).unwrap());
        assert_eq!(entry["part_number"], "ATECC608B-TNGTLS");
        for slot in 0..5 {
            let pubkey = run(chip.atecc().args(["pubkey", "--format", "hex", "--slot", &slot.to_string()]));
            assert_eq!(entry["keys"][slot]["public_key"], pubkey.succeeded().text().trim());
        }
    }

    // Neither the log signer nor the root is pinned.
    for (trusted, reason) in [(&trusted[1..], "--log-signer"), (&trusted[..1], "--root")] {
        let output = run(&mut verify_file(&file, trusted)).failed_with(1);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["refused"], 2);
        assert!(report["problems"][0]["reason"].as_str().unwrap().contains(reason), "{report}");
        assert!(output.stderr.contains("2 of 2 entries are not to be believed"), "{}", output.stderr);
    }
}

#[test]
fn no_changed_byte_of_a_made_manifest_is_believed() {
    let (chip, log_signer) = (Chip::new(), LogSigner::new());
    let manifest: Value = serde_json::from_slice(&log_signer.create(&chip).succeeded().stdout).unwrap();
    let (certificate, root) = (log_signer.certificate(), chip.path("root.pem"));
    let trusted = [("--log-signer", certificate.as_path()), ("--root", root.as_path())];
    no_changed_byte_is_believed(&manifest[0], &trusted);
    no_changed_certificate_is_believed(&manifest[0], &log_signer, &trusted);
}

#[test]
fn the_entry_says_that_its_chip_is_an_emulator() {
    let manifest = LogSigner::new().create(&Chip::new()).succeeded().text();
    let payload = decode(&serde_json::from_str::<Value>(&manifest).unwrap()[0], "payload");
    assert_eq!(payload["manufacturer"]["organizationalUnitName"], "EMULATOR");
    assert!(!payload.to_string().contains("Microchip"), "{payload}");
}

#[test]
fn mistakes_are_told() {
    let (chip, log_signer, other) = (Chip::new(), LogSigner::new(), LogSigner::new());
    let create = |key, certificate, devices: &[String]| {
        let mut atecc = chip.atecc();
        atecc.args(["manifest", "create", "--key"]).arg(key).arg("--certificate").arg(certificate);
        run(atecc.args(devices)).failed_with(1).stderr
    };
    let stderr = create(log_signer.key(), other.certificate(), &[]);
    assert!(stderr.contains("is not for the key in"), "{stderr}");
    let stderr = create(log_signer.certificate(), log_signer.certificate(), &[]);
    assert!(stderr.contains("holds no P-256 private key"), "{stderr}");
    let stderr = create(log_signer.key(), log_signer.key(), &[]);
    assert!(stderr.contains("holds no certificate"), "{stderr}");
    let stderr = create(log_signer.key(), log_signer.certificate(), &[chip.device(), chip.device()]);
    assert!(stderr.contains("is there twice"), "{stderr}");
}

#[test]
fn keys_in_the_old_form_are_read_and_open_ones_are_told() {
    use std::os::unix::fs::PermissionsExt;
    let (chip, log_signer) = (Chip::new(), LogSigner::new());
    let made = log_signer.create(&chip).succeeded();
    let old = run(Command::new("openssl").args(["ec", "-in"]).arg(log_signer.key())).succeeded().stdout;
    assert!(old.starts_with(b"-----BEGIN EC PRIVATE KEY"));
    // As `openssl ecparam -genkey` writes it.
    let parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    fs::write(log_signer.key(), [&parameters[..], &old].concat()).unwrap();
    fs::set_permissions(log_signer.key(), fs::Permissions::from_mode(0o644)).unwrap();
    let again = log_signer.create(&chip).succeeded();
    assert_eq!(made.text(), again.text());
    assert!(again.stderr.contains("others can read the key"), "{}", again.stderr);
}
