//! Node.js.

use super::page;

#[test]
fn graphene_signs_and_https_uses_the_engine() {
    let output = page::run("node.md");
    assert!(output.text().contains("graphene signature verifies: true"), "{}", output.all());
    assert!(output.text().contains("status: 200 TLSv1.3"), "{}", output.all());
}
