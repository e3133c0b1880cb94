//! SunPKCS11.

use super::page;

#[test]
fn keytool_jarsigner_and_a_tls_client() {
    let output = page::run("java.md");
    assert!(output.text().contains("PrivateKeyEntry"), "{}", output.all());
    assert!(output.text().contains("jar verified."), "{}", output.all());
    assert!(output.text().contains("TLSv1.2: 200"), "{}", output.all());
    assert!(output.text().contains("TLSv1.3: 200"), "{}", output.all());
}
