//! A policy that is enforced.

use super::{Device, wait};

#[test]
fn a_topic_that_the_policy_forbids_does_not_keep_the_device_outside() {
    let device = Device::new();
    // ministack cuts the connection for each message there, as AWS does.
    let mut agent = device.agent("[telemetry]\ntopic = 'elsewhere/telemetry'\ninterval_seconds = 3600\n");
    let quarantine = device.chip.path("agent/outbox/quarantine");
    wait("a message in quarantine", || match std::fs::read_dir(&quarantine).map(Iterator::count) {
        Ok(files) if files > 0 => Ok(()),
        other => Err(format!("{other:?}")),
    });
    // The link lives on: the shadow is answered on it.
    let path = format!("/things/{}/shadow", device.thing());
    wait("the shadow", || match device.data("iotdata", "GET", &path, None) {
        document if document["state"]["reported"].is_object() => Ok(()),
        document => Err(document.to_string()),
    });
    let said = agent.kill();
    assert!(said.contains("a message is in quarantine") && said.contains("elsewhere/telemetry"), "{said}");
}
