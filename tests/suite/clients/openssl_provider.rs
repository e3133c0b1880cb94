//! OpenSSL 3.5 with pkcs11-provider, in a root file system of Debian 13.

use std::{path::PathBuf, process::Command, time::Duration};

use super::page;
use crate::support::{Running, repository, target_directory};

/// How long a slow mirror may take.
const LIMIT: Duration = Duration::from_secs(600);

#[test]
fn requests_signatures_and_tls_with_the_provider() {
    let output = page::run_in_root("openssl-provider.md", &debian_13());
    assert!(output.text().contains("OpenSSL 3.5."), "{}", output.all());
    assert!(output.text().contains("name: PKCS#11 Provider"), "{}", output.all());
    // A request that spells the curve out is refused by most authorities.
    assert!(output.text().contains("ASN1 OID: prime256v1"), "{}", output.all());
    assert_eq!(output.text().matches("Verified OK").count(), 5, "{}", output.all());
    assert!(output.text().contains("Signature Verified Successfully"), "{}", output.all());
    assert!(output.text().contains("32 secret"), "{}", output.all());
    assert_eq!(output.text().matches("HTTP/1.0 200 ok").count(), 2, "{}", output.all());
    assert_eq!(output.text().matches("Verification: OK").count(), 2, "{}", output.all());
    // curl and mosquitto, with the URI in a PEM file.
    assert!(output.text().contains("CN=sn"), "{}", output.all());
    assert_eq!(output.text().matches("received PUBACK").count(), 2, "{}", output.all());
}

/// Made by the first run of the tests, kept for the others.
fn debian_13() -> PathBuf {
    let root = target_directory().join("debian-13");
    let mut script = Command::new(repository().join("tests/debian"));
    script.arg("trixie").arg(&root).arg("openssl,pkcs11-provider,curl,mosquitto,mosquitto-clients");
    let made = Running::start(&mut script).finish(LIMIT);
    assert!(made.status.success(), "there is no Debian 13 to test in:\n{}", made.all());
    root
}
