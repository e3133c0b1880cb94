//! NSS.

use super::page;

#[test]
fn lists_and_tls_with_nss() {
    let output = page::run("nss.md");
    assert!(output.text().contains("ATECC608 EMULATOR:device"), "{}", output.all());
    assert!(output.text().contains("TLSv1.2"), "{}", output.all());
    assert!(output.text().contains("TLSv1.3"), "{}", output.all());
}
