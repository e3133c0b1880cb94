//! OpenSSH.

use super::page;

#[test]
fn logins_agent_and_file_signatures() {
    let output = page::run("ssh.md");
    assert!(output.text().contains("logged in: direct"), "{}", output.all());
    assert!(output.text().contains("logged in: agent"), "{}", output.all());
    assert!(output.text().contains("Good \"file\" signature for gateway"), "{}", output.all());
}
