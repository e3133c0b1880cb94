//! p11-kit.

use super::page;

#[test]
fn a_module_for_all_programs_and_a_remote_token() {
    let output = page::run_with_private("p11-kit.md", "/usr/share/p11-kit/modules");
    assert!(output.text().contains("atecc: "), "{}", output.all());
    assert!(output.text().contains("Verified OK"), "{}", output.all());
}
