//! Rates beyond which nothing is taken.

use std::time::Duration;

use iot_core_emulator::{Event, IotCore, Options, Reason, Status, Throttles};
use rumqttc::QoS;

use crate::support::{Dial, Identity, LIMIT};

const ALL: &str =
    r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}}"#;

fn throttled(throttles: Throttles) -> (IotCore, Identity) {
    let cloud = IotCore::start(Options { throttles, ..Options::default() }).unwrap();
    cloud.registry().create_policy("gateway", ALL).unwrap();
    let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
    (cloud, identity)
}

#[test]
fn a_client_id_that_connects_too_often_is_refused() {
    let (cloud, identity) = throttled(Throttles::aws());
    let first = Dial::new(&cloud, &identity).connect("gw-1");
    first.wait_for_connack();
    drop(first);
    let second = Dial::new(&cloud, &identity).connect("gw-1");
    let refused = |event: &Event| matches!(event, Event::Refused { reason: Reason::Throttled, .. });
    cloud.wait_for(LIMIT, refused).unwrap();
    cloud.advance_clock(Duration::from_secs(1));
    second.wait_for_connack();
}

#[test]
fn what_is_published_too_quickly_is_discarded_without_an_answer() {
    let limits = Throttles { publishes_per_connection: Some(2), ..Throttles::default() };
    let (cloud, identity) = throttled(limits);
    let device = Dial::new(&cloud, &identity).connect("gw-1");
    device.wait_for_connack();
    for n in 0..3 {
        device.publish(&format!("t/{n}"), "", QoS::AtLeastOnce);
    }
    let discarded = |event: &Event| matches!(event, Event::Throttled { .. });
    let Event::Throttled { topic, .. } = cloud.wait_for(LIMIT, discarded).unwrap() else { unreachable!() };
    // With two a second, a slow machine may get the third in; then it would be a later one.
    assert_eq!(topic, "t/2");
    // The events tell of an acknowledgement when it has been sent.
    let mut events = cloud.events();
    for _ in 0..2 {
        let taken = |event: &Event| matches!(event, Event::Published { acknowledged: true, .. });
        events.wait_for(LIMIT, taken).unwrap();
    }
    assert!(!cloud.events().any(|event| matches!(event, Event::Published { topic, .. } if topic == "t/2")));
}
