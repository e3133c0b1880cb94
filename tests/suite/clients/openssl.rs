//! OpenSSL with libp11's engine.

use super::page;

#[test]
fn requests_signatures_and_tls_with_the_engine() {
    let output = page::run("openssl.md");
    assert_eq!(output.text().matches("Verified OK").count(), 5, "{}", output.all());
    assert!(output.text().contains("Signature Verified Successfully"), "{}", output.all());
    assert!(output.text().contains("32 secret"), "{}", output.all());
    assert_eq!(output.text().matches("HTTP/1.0 200 ok").count(), 2, "{}", output.all());
    assert_eq!(output.text().matches("Verification: OK").count(), 2, "{}", output.all());
}
