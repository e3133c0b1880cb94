//! Device Defender's answers.

use std::time::Duration;

use atecc_agent::supervisor::{Agent, Report};
use iot_core_emulator::{Listener, Qos};
use serde_json::{Value, json};

use crate::stage::Running;
use crate::{LIMIT, registered};

#[test]
fn a_rejected_report_is_told_once_with_what_to_do_until_one_is_taken() {
    let stage = registered();
    let policy =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}}"#;
    stage.cloud.registry().create_policy("all", policy).unwrap();
    stage.cloud.registry().attach_policy("all", &stage.certificate).unwrap();
    let topic = format!("$aws/things/{}/defender/metrics/json", stage.thing);
    let reports = stage.cloud.subscribe(&topic).unwrap();
    let mut config = stage.config(Listener::Mqtt).unwrap();
    // Not what AWS would take.
    config.defender = Some(Duration::from_secs(1));
    let mut agent = Running::start(Agent::new(config, &stage.identity).unwrap()).unwrap();

    let answer = |end: &str, more: Value| {
        let message = reports.recv_timeout(LIMIT).unwrap();
        let report: Value = serde_json::from_slice(&message.payload).unwrap();
        let mut answer = json!({
            "thingName": stage.thing,
            "reportId": report["header"]["report_id"],
            "status": end.to_uppercase(),
            "timestamp": 1_600_000_000,
        });
        answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        stage.cloud.publish(&format!("{topic}/{end}"), answer.to_string(), Qos::AtLeastOnce).unwrap();
    };
    let rejected =
        |code: &str, text: &str| json!({ "statusDetails": { "ErrorCode": code, "ErrorMessage": text } });
    let failed = |report: &Report| match report {
        Report::DefenderFailed { problem } => Some(problem.clone()),
        _ => None,
    };
    let taken = |report: &Report| matches!(report, Report::DefenderAccepted { .. }).then_some(());

    for _ in 0..3 {
        answer("rejected", rejected("Throttled", "too many reports"));
    }
    answer("accepted", json!({}));
    let mut problems = Vec::new();
    let until_taken = |report: &Report| {
        problems.extend(failed(report));
        taken(report)
    };
    agent.wait_for(0, LIMIT, "a report that was taken", until_taken).unwrap();
    let up_to_here = agent.now();
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    assert!(
        problem.contains("Throttled: too many reports; raise `interval_seconds` in [defender]"),
        "{problem}"
    );
    answer("rejected", rejected("InvalidPayload", "report id"));
    let problem = agent.wait_for(up_to_here, LIMIT, "another rejection", failed).unwrap();
    assert!(problem.contains("InvalidPayload: report id; ") && problem.contains("the clock"), "{problem}");
    agent.stop().unwrap();
}
