//! stunnel.

use super::page;

#[test]
fn a_tunnel_with_the_key_in_the_chip() {
    let output = page::run("stunnel.md");
    assert!(output.text().contains("Subject:"), "{}", output.all());
}
