//! OpenSC's pkcs11-tool on our module.

use std::{fs, process::Command};

use super::support::{Chip, module, run};

fn pkcs11_tool(chip: &Chip) -> Command {
    let mut command = Command::new("pkcs11-tool");
    command.arg("--module").arg(module()).env("ATECC_DEVICE", chip.device());
    command
}

#[test]
fn the_token_says_that_it_is_an_emulator() {
    let chip = Chip::new();
    let slots = run(pkcs11_tool(&chip).arg("--list-slots")).succeeded().text();
    let label = slots.lines().find(|line| line.contains("token label")).unwrap();
    let model = slots.lines().find(|line| line.contains("token model")).unwrap();
    assert!(label.contains("EMULATOR"), "{slots}");
    assert!(model.contains("EMULATOR"), "{slots}");
    assert!(!slots.contains("login required"), "{slots}");
}

#[test]
fn one_identity_is_shown() {
    let chip = Chip::new();
    let objects = run(pkcs11_tool(&chip).arg("--list-objects")).succeeded().text();
    let count = |what: &str| objects.lines().filter(|line| line.starts_with(what)).count();
    assert_eq!(count("Private Key Object; EC"), 1, "{objects}");
    assert_eq!(count("Public Key Object; EC"), 1, "{objects}");
    assert_eq!(count("Certificate Object"), 3, "{objects}");
    // Key identifiers: of the key pair and its certificate, and apart from them of the signer and the root.
    let is_key_identifier = |line: &&str| line.trim_start().starts_with("ID:") && line.trim().len() > 40;
    let mut ids: Vec<&str> = objects.lines().filter(is_key_identifier).collect();
    assert_eq!(ids.len(), 5, "{objects}");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3, "{objects}");
}

#[test]
fn a_raw_signature_verifies_with_openssl() {
    let chip = Chip::new();
    let (digest, signature, der) = (chip.path("digest"), chip.path("signature"), chip.path("signature.der"));
    fs::write(&digest, [0xa7; 32]).unwrap();
    let mut sign = pkcs11_tool(&chip);
    sign.args(["--sign", "--mechanism", "ECDSA", "--label", "device", "--input-file"]).arg(&digest);
    run(sign.arg("--output-file").arg(&signature)).succeeded();
    let signature = fs::read(signature).unwrap();
    assert_eq!(signature.len(), 64);
    fs::write(&der, super::shared_bus::der_signature(&signature)).unwrap();
    let verified = run(Command::new("openssl")
        .args(["pkeyutl", "-verify", "-certin", "-inkey"])
        .arg(chip.path("device.pem"))
        .arg("-in")
        .arg(&digest)
        .arg("-sigfile")
        .arg(&der));
    assert!(verified.status.success(), "{}", verified.all());
}

#[test]
fn the_certificate_in_the_token_is_the_rebuilt_one() {
    let chip = Chip::new();
    for label in ["device", "signer"] {
        let der = chip.path("read.der");
        let mut read = pkcs11_tool(&chip);
        read.args(["--read-object", "--type", "cert", "--label", label, "--output-file"]).arg(&der);
        run(&mut read).succeeded();
        let pem = run(Command::new("openssl").args(["x509", "-inform", "DER", "-in"]).arg(&der)).succeeded();
        assert_eq!(pem.text(), fs::read_to_string(chip.path(&format!("{label}.pem"))).unwrap());
    }
}

#[test]
fn random_numbers_come_from_the_chip() {
    let chip = Chip::new();
    let draw = || {
        let output = chip.path("random");
        run(pkcs11_tool(&chip).args(["--generate-random", "100", "--output-file"]).arg(&output)).succeeded();
        fs::read(output).unwrap()
    };
    let (one, other) = (draw(), draw());
    assert_eq!((one.len(), other.len()), (100, 100));
    assert_ne!(one, other);
}

/// pkcs11-tool's own test walks through digests, signatures, verification and random numbers.
#[test]
fn the_tools_own_test_finds_no_error() {
    let chip = Chip::new();
    let output = run(pkcs11_tool(&chip).arg("--test")).succeeded();
    assert!(output.text().contains("No errors"), "{}", output.all());
}

/// There is no PIN, and who insists on one may send any.
#[test]
fn the_tools_own_test_finds_no_error_after_a_login() {
    let chip = Chip::new();
    let output = run(pkcs11_tool(&chip).args(["--test", "--login", "--pin", "1234"])).succeeded();
    assert!(output.text().contains("No errors"), "{}", output.all());
}

/// Each thread initializes, asks for information and slots, and shows the token. The tool exits with 0 whatever
/// its threads met; what they met stands in its last lines.
#[test]
fn the_tools_threads_meet_no_error() {
    let chip = Chip::new();
    let mut tool = pkcs11_tool(&chip);
    for _ in 0..8 {
        tool.args(["--test-threads", "ILGISLT0"]);
    }
    let output = run(&mut tool).succeeded();
    let text = output.all();
    let (_, end) = text.split_once("all threads have ended with CKR_OK").unwrap_or_else(|| panic!("{text}"));
    assert_eq!(end.matches("state:-1, rv:CKR_OK").count(), 8, "{text}");
}

/// Its child initializes, and says so only if it cannot.
#[test]
fn a_forked_child_of_the_tool_initializes_anew() {
    let chip = Chip::new();
    let output = run(pkcs11_tool(&chip).arg("--test-fork")).succeeded();
    assert!(output.text().contains("C_Initialize in forked child process"), "{}", output.all());
    assert!(!output.all().contains("CKR_"), "{}", output.all());
}

#[test]
fn without_a_device_the_reason_is_logged_and_nothing_crashes() {
    let mut command = Command::new("pkcs11-tool");
    command.arg("--module").arg(module()).arg("--list-slots");
    command.env("ATECC_DEVICE", "emulator:/nonexistent/chip").env("ATECC_LOG", "error");
    let output = run(&mut command);
    assert!(output.stderr.contains("make one with `atecc emulator new"), "{}", output.all());
}
