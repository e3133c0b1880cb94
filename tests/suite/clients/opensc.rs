//! OpenSC.

use super::page;

#[test]
fn signatures_digests_and_the_tools_own_tests() {
    let output = page::run("opensc.md");
    assert!(output.text().contains("No errors"), "{}", output.all());
    assert!(output.all().contains("all threads have ended with CKR_OK"), "{}", output.all());
    assert!(output.text().contains("Verified OK"), "{}", output.all());
    assert!(output.text().contains("CKP_BASELINE_PROVIDER"), "{}", output.all());
}
