//! wpa_supplicant.

use std::fs;

use super::page;

#[test]
fn eap_tls_with_the_key_in_the_chip() {
    // /usr/lib/<architecture>/pkcs11
    let folder = fs::read_dir("/usr/lib")
        .unwrap()
        .map(|entry| entry.unwrap().path().join("pkcs11"))
        .find(|path| path.exists())
        .unwrap();
    let output = page::run_with_private("wpa-supplicant.md", folder.to_str().unwrap());
    assert!(output.text().ends_with("SUCCESS\n"), "{}", output.all());
}
