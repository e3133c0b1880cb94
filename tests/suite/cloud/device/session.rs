//! A session that the server keeps while the device is away.

use serde_json::json;

use super::Device;

const LINES: &str = "[[lines]]\nproperty = 'led'\n[[toggles]]\ntopic = '{client_id}/blink'\nline = 'led'\n";

#[test]
fn what_came_while_the_device_was_away_is_there_when_it_is_back() {
    let device = Device::new();
    let start = || device.agent_with("clean_session = false\n", LINES);
    let mut first = start();
    // It reports when it has subscribed.
    device.reports("", &json!({ "led": false }));
    first.kill();

    let topic = format!("/topics/{}/blink?qos=1", device.thing());
    device.data("iotdata", "POST", &topic, Some(&json!("blink")));
    let mut second = start();
    device.reports("", &json!({ "led": true }));
    let said = second.kill();
    assert!(!said.contains("not connected"), "{said}");
}
