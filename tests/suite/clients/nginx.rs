//! nginx.

use super::page;

#[test]
fn two_workers_serve_with_the_key_in_the_chip() {
    let output = page::run("nginx.md");
    assert!(output.text().contains("Verification: OK"), "{}", output.all());
    assert!(output.text().contains("TLSv1.3"), "{}", output.all());
}
