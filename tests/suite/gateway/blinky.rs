//! The Blinky Hello World, as it is shipped, under the policy that the EduKit's script makes.

use std::fs;
use std::time::{Duration, Instant};

use iot_core_emulator::{Listener, Qos, Status};
use serde_json::json;

use super::{Cloud, LIMIT, agent, der};
use crate::support::{Chip, Running, repository};

/// Everything below the client's name, and its shadow.
const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect", "Resource": "arn:aws:iot:*:*:client/${iot:ClientId}"},
    {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": [
        "arn:aws:iot:*:*:topic/${iot:ClientId}/*", "arn:aws:iot:*:*:topic/$aws/things/${iot:ClientId}/shadow/*"]},
    {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": [
        "arn:aws:iot:*:*:topicfilter/${iot:ClientId}/#",
        "arn:aws:iot:*:*:topicfilter/$aws/things/${iot:ClientId}/shadow/*"]}]}"#;

#[test]
fn blinky_says_hello_and_blinks() {
    let (cloud, chip) = (Cloud::new(), Chip::new());
    let (registry, name) = (cloud.core.registry(), chip.common_name());
    let id = registry.register_certificate(&der(&chip.path("device.pem")), Status::Active).unwrap();
    registry.create_policy("Default", POLICY).unwrap();
    registry.attach_policy("Default", &id).unwrap();

    // The shipped file, but for where the cloud is.
    let shipped = fs::read_to_string(repository().join("agent/blinky.example.toml")).unwrap();
    let settings: String = shipped
        .lines()
        .filter(|line| !line.starts_with("endpoint") && !line.starts_with("ca_file"))
        .map(|line| format!("{line}\n"))
        .collect();
    let config = cloud.config(Listener::Alpn, &format!("{settings}[outbox]\nfolder = 'outbox'\n"));

    let heard = cloud.core.subscribe(&format!("{name}/")).unwrap();
    let mut command = agent(&config);
    command.env("ATECC_DEVICE", chip.device());
    let mut running = Running::start(chip.keep_cache_of(&mut command));
    for number in 0..3 {
        let message = heard.recv_timeout(LIMIT).unwrap();
        assert_eq!(String::from_utf8_lossy(&message.payload), format!("Hello from {name}: {number}"));
    }
    let reported = |on: bool| {
        let end = Instant::now() + LIMIT;
        loop {
            let state = registry.shadow(&name, None).unwrap_or_default()["state"]["reported"].clone();
            if state == json!({ "led": on }) {
                return;
            }
            assert!(Instant::now() < end, "{state}, not {on}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    reported(false);
    cloud.core.publish(&format!("{name}/blink"), "", Qos::AtMostOnce).unwrap();
    reported(true);
    cloud.core.set_desired(&name, &json!({ "led": false })).unwrap();
    reported(false);

    let said = running.kill();
    assert!(said.contains("line toggled") && said.contains("line switched by the shadow"), "{said}");
    // Its own messages come back to it, and are no commands.
    assert_eq!(said.matches("command received").count(), 1, "{said}");
    assert!(
        !said.contains("WARN") || said.matches("WARN").count() == said.matches("EMULATOR").count(),
        "{said}"
    );
}
