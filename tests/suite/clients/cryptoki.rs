//! The Rust crate cryptoki.

use super::page;

#[test]
fn a_rust_program_signs_and_verifies() {
    let output = page::run("cryptoki.md");
    assert!(output.text().contains("cryptoki token: ATECC608 EMULATOR"), "{}", output.all());
    assert!(output.text().contains("cryptoki signature of 64 bytes verifies"), "{}", output.all());
    assert!(output.text().contains("cryptoki on another message: "), "{}", output.all());
    assert!(output.text().contains("cryptoki certificate: signer"), "{}", output.all());
}
