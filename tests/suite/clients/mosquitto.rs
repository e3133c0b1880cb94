//! mosquitto.

use super::page;

#[test]
fn client_bridge_and_broker() {
    let output = page::run("mosquitto.md");
    assert!(output.text().contains("from/client: from a client"), "{}", output.all());
    assert!(output.text().contains("from/bridge: through a bridge"), "{}", output.all());
    assert!(output.text().contains("received PUBACK"), "{}", output.all());
}
