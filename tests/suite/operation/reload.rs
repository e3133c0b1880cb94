//! SIGHUP: what changes, what stays, and what a mistake costs.

use iot_core_emulator::{Event, Reason};

use super::daemon::{LIMIT, status, wait_for};
use super::{LINES, Stage};

#[test]
fn what_may_change_changes_without_losing_the_connection() {
    let stage = Stage::new();
    let mut daemon = stage.daemon(LINES);
    let address = daemon.status_address();
    daemon.says("PUBACK");
    // Another topic, and the status elsewhere.
    stage.configure(
        &LINES
            .replace("interval_seconds = 1", "interval_seconds = 1\ntopic = 'elsewhere'")
            .replace("listen = '127.0.0.1:0'", "listen = '127.0.0.1:0'\nhosts = ['other']"),
    );
    daemon.signal("HUP");
    daemon.says("the connection stays");
    let moved = daemon.status_address();
    assert_ne!(moved, address);
    let arrived = |event: &Event| matches!(event, Event::Published { topic, .. } if topic == "elsewhere");
    stage.cloud.core.wait_for(LIMIT, arrived).unwrap();
    assert_eq!(status(&moved)["connection"]["connections"], 1);
}

#[test]
fn what_may_not_connects_anew_in_good_order() {
    let stage = Stage::new();
    let mut daemon = stage.daemon(LINES);
    let address = daemon.status_address();
    daemon.says("PUBACK");
    // A renewed root, in a file of the same name; then another client id.
    let root = stage.cloud.path("ca.pem");
    let text = std::fs::read_to_string(&root).unwrap();
    std::fs::write(&root, format!("# renewed\n{text}")).unwrap();
    daemon.signal("HUP");
    daemon.says("connecting anew");
    wait_for(&address, "second connection", |status| status["connection"]["connections"] == 2);
    stage.configure(&format!("client_id = 'another'\n{LINES}"));
    daemon.signal("HUP");
    daemon.says("connecting anew");
    let third = wait_for(&address, "third connection", |status| status["connection"]["connections"] == 3);
    assert_eq!(third["connection"]["client_id"], "another");
    let goodbye = |event: &Event| matches!(event, Event::Disconnected { reason: Reason::Goodbye, .. });
    assert!(stage.cloud.core.events().filter(goodbye).count() >= 2);
}

#[test]
fn a_bad_file_changes_nothing_and_is_told() {
    let stage = Stage::new();
    let mut daemon = stage.daemon(LINES);
    let address = daemon.status_address();
    daemon.says("PUBACK");
    for (lines, says) in [
        ("colour = 'red'\n", "unknown field `colour`"),
        ("certificate_file = 'none.pem'\n", "none.pem"),
        ("client_id = '{client_id}'\n", "client_id"),
    ] {
        stage.configure(&format!("{lines}{LINES}"));
        daemon.signal("HUP");
        let said = daemon.says("the configuration stays as it was");
        assert!(said.contains(says), "{said}");
    }
    // Good enough to be read, and not to be run: the folder of the outbox is a file.
    stage.configure(&LINES.replace("folder = 'outbox'", "folder = 'ca.pem'"));
    daemon.signal("HUP");
    daemon.says("the old one is back");
    let back = wait_for(&address, "connection", |status| {
        status["connection"]["state"] == "connected" && status["connection"]["connections"] == 2
    });
    let problems = back["problems"].as_array().unwrap();
    assert!(problems.iter().any(|problem| problem["level"] == "error"), "{back:#}");
    daemon.signal("TERM");
    assert!(daemon.ended().success(), "{}", daemon.log);
}
