//! GnuTLS.

use super::page;

#[test]
fn p11tool_certtool_and_gnutls_cli() {
    let output = page::run("gnutls.md");
    assert!(output.text().contains("TLS1.2"), "{}", output.all());
    assert!(output.text().contains("TLS1.3"), "{}", output.all());
}
