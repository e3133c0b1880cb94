//! Python.

use super::page;

#[test]
fn pykcs11_and_python_pkcs11() {
    let output = page::run("python.md");
    assert!(output.text().contains("PyKCS11 object: signer"), "{}", output.all());
    assert!(output.text().contains("python-pkcs11 signature verifies: True"), "{}", output.all());
}
