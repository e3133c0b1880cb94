//! The status: JSON for programs, metrics for Prometheus.

use std::process::Command;

use super::daemon::{ask, get, status, wait_for};
use super::{LINES, Stage};
use crate::support::{run, run_with_input};

#[test]
fn it_tells_of_connection_key_and_outbox_and_changes_with_them() {
    let stage = Stage::new();
    let mut daemon = stage.daemon(LINES);
    let address = daemon.status_address();
    let up = wait_for(&address, "connection", |status| status["connection"]["state"] == "connected");
    assert_eq!(up["connection"]["thing"], stage.chip.common_name());
    assert!(up["connection"]["handshake"]["milliseconds"].as_u64().unwrap() > 0, "{up:#}");
    let serial = stage.chip.common_name().trim_start_matches("sn").to_owned();
    assert_eq!((&up["key"]["serial"], &up["key"]["emulated"]), (&serial.into(), &true.into()));
    let delivered = |status: &serde_json::Value| status["outbox"]["delivered"].as_u64().unwrap();
    let some = wait_for(&address, "delivery", |status| delivered(status) > 0);
    wait_for(&address, "further delivery", |status| delivered(status) > delivered(&some));
    assert!(!up["history"]["rate"].as_array().unwrap().is_empty() || delivered(&up) == 0);

    // The server is gone: the state changes, the reason is told, messages wait.
    stage.cloud.core.stop_listening().unwrap();
    stage.cloud.core.disconnect_all();
    let down = wait_for(&address, "backlog", |status| {
        status["connection"]["state"] != "connected" && status["outbox"]["messages"].as_u64().unwrap() >= 2
    });
    assert!(down["connection"]["failures"].as_u64().unwrap() >= 1, "{down:#}");
    let problems = wait_for(&address, "problem", |status| {
        status["problems"].as_array().unwrap().iter().any(|problem| {
            problem["message"].as_str().unwrap().contains("check `endpoint`, `port` and the network")
        })
    });
    assert!(problems["connection"]["reason"].is_string(), "{problems:#}");
    stage.cloud.core.resume_listening().unwrap();
    let again = wait_for(&address, "drained backlog", |status| {
        status["connection"]["state"] == "connected" && status["outbox"]["messages"] == 0
    });
    assert_eq!(again["connection"]["connections"], 2);
    assert!(again["connection"]["reason"].is_null(), "{again:#}");
    let backlog = again["history"]["backlog"].as_array().unwrap();
    assert!(backlog.iter().any(|waiting| waiting.as_u64().unwrap() >= 2), "{again:#}");
}

/// As Prometheus' own client for Python reads them.
#[test]
fn metrics_are_what_prometheus_reads() {
    const READ: &str = r#"
import json, sys
from prometheus_client.parser import text_string_to_metric_families
values = {}
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.documentation and family.type in ("gauge", "counter"), family
    for sample in family.samples:
        assert sample.name not in values, sample.name
        values[sample.name] = [sample.labels, sample.value, family.type]
json.dump(values, sys.stdout)
"#;
    let stage = Stage::new();
    let mut daemon = stage.daemon(LINES);
    let address = daemon.status_address();
    wait_for(&address, "delivery", |status| status["outbox"]["delivered"].as_u64().unwrap() > 0);
    let (head, text) = get(&address, "/metrics");
    assert!(head.to_lowercase().contains("content-type: text/plain; version=0.0.4"), "{head}");
    let mut python = Command::new("/usr/bin/python3");
    let read = run_with_input(python.args(["-c", READ]), text.as_bytes()).succeeded();
    let values: serde_json::Value = serde_json::from_slice(&read.stdout).unwrap();
    assert_eq!(values["atecc_agent_info"][0]["thing"], stage.chip.common_name());
    assert_eq!(values["atecc_agent_info"][0]["emulated"], "true");
    assert_eq!(values["atecc_agent_connected"][1], 1.0);
    assert_eq!(values["atecc_agent_connections_total"][1], 1.0);
    assert_eq!(values["atecc_agent_connections_total"][2], "counter");
    assert!(values["atecc_agent_messages_delivered_total"][1].as_f64().unwrap() >= 1.0, "{values:#}");
    assert_eq!(values["atecc_agent_outbox_limit_bytes"][1], f64::from(64 << 20));
}

#[test]
fn another_sites_name_is_refused_and_a_unix_socket_asks_for_none() {
    let stage = Stage::new();
    let mut daemon = stage.daemon(&format!("{LINES}socket = 'status.sock'\nhosts = ['gateway.example']\n"));
    let address = daemon.status_address();
    for (host, code) in [("evil.example", 421), ("gateway.example", 200), ("localhost", 200)] {
        let (head, body) = ask(&address, &format!("GET /status HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert!(head.starts_with(&format!("HTTP/1.1 {code}")), "{host}: {head}");
        assert_eq!(body.contains("connection"), code == 200);
    }
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail", "--unix-socket"]).arg(stage.cloud.path("status.sock"));
    let said = run(curl.arg("http://agent/status")).succeeded();
    let over_socket: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(over_socket["connection"]["thing"], status(&address)["connection"]["thing"]);
    daemon.signal("TERM");
    assert!(daemon.ended().success(), "{}", daemon.log);
    assert!(!stage.cloud.path("status.sock").exists());
}
