//! A chip that the cloud has never heard of, whose signer's CA certificate is registered there: from power-on to the first
//! PUBACK with no command but the agent's.

use std::process::Command;
use std::time::Duration;

use iot_core_emulator::{CaCertificate, CertificateId, Event, Listener, Options, Reason, Status};

use super::{Cloud, LIMIT, agent, der};
use crate::support::{Chip, Running, program, run};

/// The template that this product registers a CA with: things are called as their certificates are.
fn template() -> String {
    let mut atecc = Command::new(program("atecc"));
    run(atecc.args(["ca", "template", "--policy", "gateway"])).succeeded().text()
}

const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iot:Connect",
     "Resource": "arn:aws:iot:*:*:client/${iot:Connection.Thing.ThingName}"},
    {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": [
        "arn:aws:iot:*:*:topic/${iot:Connection.Thing.ThingName}/*",
        "arn:aws:iot:*:*:topic/$aws/things/${iot:Connection.Thing.ThingName}/shadow/*"]},
    {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": [
        "arn:aws:iot:*:*:topicfilter/${iot:Connection.Thing.ThingName}/*",
        "arn:aws:iot:*:*:topicfilter/$aws/things/${iot:Connection.Thing.ThingName}/shadow/*"]}
]}"#;

#[test]
fn a_chip_never_seen_before_registers_itself() {
    let chip = Chip::new();
    // Longer than the first wait of the agent: it is turned away more than once.
    let provisioning_delay = Duration::from_millis(1_500);
    let cloud = Cloud::with(Options { provisioning_delay, ..Options::default() });
    let registry = cloud.core.registry();
    registry.create_policy("gateway", POLICY).unwrap();
    let ca = CaCertificate {
        der: &der(&chip.path("signer.pem")),
        allow_auto_registration: true,
        template_body: Some(&template()),
    };
    registry.register_ca_certificate(ca).unwrap();
    let (name, id) = (chip.common_name(), CertificateId::of(&der(&chip.path("device.pem"))));
    assert_eq!(registry.status(&id), None);

    let lines =
        format!("device = '{}'\n[reconnect]\nfirst_seconds = 1\nlongest_seconds = 2\n", chip.device());
    let mut running =
        Running::start(chip.keep_cache_of(&mut agent(&cloud.config(Listener::Mqtt, &(lines + OUTBOX)))));
    let turned_away = |event: &Event| matches!(event, Event::Refused { reason: Reason::JustInTime, .. });
    cloud.core.wait_for(LIMIT, turned_away).unwrap();
    let is_told = |event: &Event| matches!(event, Event::Published { client_id, acknowledged: true, .. } if *client_id == name);
    cloud.core.wait_for(LIMIT, is_told).unwrap();
    let said = running.kill();
    assert!(said.contains("before CONNACK, as it does the first times"), "{said}");
    assert_eq!(registry.status(&id), Some(Status::Active));
    assert!(registry.thing(&name).is_some());
}

const OUTBOX: &str = "[outbox]\nfolder = 'outbox'\n";
