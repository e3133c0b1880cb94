//! curl.

use super::page;

#[test]
fn key_and_certificate_of_the_token_let_curl_in() {
    let output = page::run("curl.md");
    assert!(output.text().contains("CN=sn"), "{}", output.all());
}
