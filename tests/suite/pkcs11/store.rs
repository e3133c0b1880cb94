//! Objects that applications keep, and names that they give.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use super::{Configured, openssl, run};
use crate::support::{Running, module};

fn certificate(configured: &Configured) -> String {
    let (key, der) = (configured.path("own.key"), configured.path("own.der"));
    openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", &key]);
    openssl(&["req", "-x509", "-key", &key, "-subj", "/CN=own", "-outform", "DER", "-out", &der]);
    der
}

fn certificates(configured: &Configured) -> String {
    configured.tool(&["--list-objects", "--type", "cert"]).succeeded().text()
}

#[test]
fn a_certificate_is_written_found_by_another_process_and_deleted() {
    let configured = Configured::new("");
    let der = certificate(&configured);
    configured.tool(&["--write-object", &der, "--type", "cert", "--label", "mine", "--id", "05"]).succeeded();
    assert!(certificates(&configured).contains("mine"));
    let read = configured.path("read.der");
    let arguments = ["--read-object", "--type", "cert", "--label", "mine", "--output-file", &read];
    configured.tool(&arguments).succeeded();
    assert_eq!(fs::read(&read).unwrap(), fs::read(&der).unwrap());
    assert_eq!(fs::metadata(configured.store()).unwrap().permissions().mode() & 0o777, 0o600);
    configured.tool(&["--delete-object", "--type", "cert", "--label", "mine"]).succeeded();
    assert!(!certificates(&configured).contains("mine"));
    // Those of the chip are not anybody's to delete.
    let refused = configured.tool(&["--delete-object", "--type", "cert", "--label", "device"]);
    // CKR_ACTION_PROHIBITED, which OpenSC 0.23 has no name for.
    assert!(refused.stderr.contains("0x1b"), "{}", refused.all());
}

#[test]
fn public_keys_and_data_are_kept_too() {
    let configured = Configured::new("");
    let (key, public) = (configured.path("peer.pem"), configured.path("peer.der"));
    openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", &key]);
    openssl(&["ec", "-in", &key, "-pubout", "-outform", "DER", "-out", &public]);
    configured
        .tool(&["--write-object", &public, "--type", "pubkey", "--label", "peer", "--id", "06"])
        .succeeded();
    let data = configured.path("data");
    fs::write(&data, b"\0not text\xff").unwrap();
    let write = ["--write-object", &data, "--type", "data", "--label", "blob", "--application-label", "app"];
    configured.tool(&write).succeeded();
    let read = configured.path("read");
    configured
        .tool(&["--read-object", "--type", "data", "--label", "blob", "--output-file", &read])
        .succeeded();
    assert_eq!(fs::read(read).unwrap(), b"\0not text\xff");
    let pem = fs::read(configured.public_key("peer")).unwrap();
    assert_eq!(pem, openssl(&["pkey", "-in", &key, "-pubout"]).stdout);
}

#[test]
fn the_chips_key_gets_another_name() {
    let configured = Configured::new("");
    let mut rename = configured.command("p11tool");
    rename.arg("--provider").arg(module()).args(["--batch", "--set-label", "gateway"]);
    run(rename.arg("pkcs11:object=device;type=private")).succeeded();
    let keys = configured.tool(&["--list-objects", "--type", "privkey"]).succeeded().text();
    assert!(keys.contains("gateway") && !keys.contains("device"), "{keys}");
    assert!(fs::read_to_string(configured.store()).unwrap().contains("label = \"gateway\""));
}

/// The store belongs to the chip as well: another has its own objects in the same file.
#[test]
fn objects_belong_to_their_chip() {
    let (one, other) = (Configured::new(""), Configured::new(""));
    let store = format!("[pkcs11]\nstore = \"{}\"\n", one.store().display());
    other.configure(&store);
    let der = certificate(&one);
    one.tool(&["--write-object", &der, "--type", "cert", "--label", "mine"]).succeeded();
    assert!(!certificates(&other).contains("mine"));
    other.tool(&["--write-object", &der, "--type", "cert", "--label", "others"]).succeeded();
    assert!(certificates(&one).contains("mine") && !certificates(&one).contains("others"));
}

#[test]
fn a_file_that_is_not_understood_is_told_left_alone_and_hides_no_key() {
    let configured = Configured::new("");
    fs::write(configured.store(), "version = 1\nnext = 1\n[[object]]\nclass = 7\n").unwrap();
    let keys = configured.tool(&["--list-objects", "--type", "privkey"]).succeeded();
    assert!(keys.text().contains("device"), "{}", keys.all());
    assert!(keys.stderr.contains("objects.toml") && keys.stderr.contains("line 4"), "{}", keys.all());
    let before = fs::read(configured.store()).unwrap();
    let der = certificate(&configured);
    let refused = configured.tool(&["--write-object", &der, "--type", "cert", "--label", "mine"]);
    assert!(!refused.status.success(), "{}", refused.all());
    assert_eq!(fs::read(configured.store()).unwrap(), before);
}

#[test]
fn processes_that_write_at_once_lose_nothing() {
    let chip = Configured::new("");
    // A file has one owner; on a bus they share the chip.
    let bus = chip.chip.serve();
    fs::write(chip.file(), format!("device = \"{}\"\n", bus.device())).unwrap();
    let der = certificate(&chip);
    let labels: Vec<String> = (0..8).map(|number| format!("certificate-{number}")).collect();
    let writers: Vec<Running> = labels
        .iter()
        .map(|label| {
            Running::start(&mut chip.pkcs11_tool(&[
                "--write-object",
                &der,
                "--type",
                "cert",
                "--label",
                label,
            ]))
        })
        .collect();
    for writer in writers {
        writer.finish(std::time::Duration::from_secs(60)).succeeded();
    }
    let listed = certificates(&chip);
    assert!(labels.iter().all(|label| listed.contains(label)), "{listed}");
}

/// Who may not write the store hears it, and sees what is in it if it is readable.
#[test]
fn without_the_right_to_write_the_token_is_protected() {
    let configured = Configured::new("");
    let der = certificate(&configured);
    configured.tool(&["--write-object", &der, "--type", "cert", "--label", "shared"]).succeeded();
    fs::set_permissions(configured.store(), fs::Permissions::from_mode(0o644)).unwrap();
    for path in [configured.chip.folder().to_path_buf(), configured.chip.eeprom(), configured.file()] {
        let mode = if path.is_dir() { 0o755 } else { 0o666 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    // The module must be within nobody's reach.
    let copy = configured.chip.path("module.so");
    fs::copy(module(), &copy).unwrap();
    let as_nobody = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "pkcs11-tool", "--module"]);
        run(command.arg(&copy).args(arguments).env("ATECC_CONFIG", configured.file()).env("ATECC_LOG", "1"))
    };
    let listed = as_nobody(&["--list-objects", "--type", "cert"]);
    assert!(listed.text().contains("shared"), "{}", listed.all());
    let der = configured.path("own.der");
    let refused = as_nobody(&["--write-object", &der, "--type", "cert", "--label", "mine"]);
    assert!(refused.stderr.contains("CKR_TOKEN_WRITE_PROTECTED"), "{}", refused.all());
}
