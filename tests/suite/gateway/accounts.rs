//! One certificate in two accounts behind one address: the name that the agent sends decides.

use std::fs;

use iot_core_emulator::{Event, Options, Status};

use super::{Cloud, LIMIT, agent, der};
use crate::support::{Chip, run};

#[test]
fn one_chip_is_at_home_in_two_accounts() {
    const SECOND: &str = "second-ats.iot.local.test";
    let further_accounts = vec![(SECOND.to_owned(), "111111111111".to_owned())];
    let cloud = Cloud::with(Options { further_accounts, ..Options::default() });
    let chip = Chip::new();
    cloud.register(&chip.path("device.pem"));
    let second = cloud.core.registry_of(SECOND).unwrap();
    let policy =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}}"#;
    second.create_policy("all", policy).unwrap();
    let connect = |endpoint: &str| {
        let address = cloud.core.mqtt_address();
        let device = chip.device();
        let text = format!(
            "endpoint = '{endpoint}'\naddress = '{address}'\nca_file = 'ca.pem'\ndevice = '{device}'\n"
        );
        fs::write(cloud.path("agent.toml"), text).unwrap();
        let mut agent = agent(&cloud.path("agent.toml"));
        run(chip.keep_cache_of(agent.arg("--once")))
    };
    connect(cloud.core.endpoint()).succeeded();
    // What the first account knows, the second does not.
    let refused = connect(SECOND).failed_with(1).stderr;
    assert!(refused.contains("closed the connection before CONNACK"), "{refused}");
    let id = second.register_certificate(&der(&chip.path("device.pem")), Status::Active).unwrap();
    second.attach_policy("all", &id).unwrap();
    connect(SECOND).succeeded();

    let mut names = Vec::new();
    let mut events = cloud.core.events();
    while names.len() < 3 {
        let handshake = |event: &Event| matches!(event, Event::TlsAccepted { .. });
        let Event::TlsAccepted { server_name, certificate_id, .. } =
            events.wait_for(LIMIT, handshake).unwrap()
        else {
            unreachable!()
        };
        assert_eq!(certificate_id, id);
        names.push(server_name);
    }
    assert_eq!(names, [cloud.core.endpoint(), SECOND, SECOND]);
    let published =
        cloud.core.events().filter(|event| matches!(event, Event::Published { acknowledged: true, .. }));
    assert_eq!(published.count(), 2);
}
