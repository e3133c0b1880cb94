//! AWS IoT Device SDK.

use super::page;

#[test]
fn a_message_is_published_over_mutual_tls() {
    let output = page::run("aws-sdk.md");
    assert!(output.text().contains("published with the key in the chip"), "{}", output.all());
}
