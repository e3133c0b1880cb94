//! Publishing and subscribing, and what is cut for doing it wrong.

use iot_core_emulator::{Action, Event, IotCore, Message, Qos, Reason, Status};
use rumqttc::{Packet, PublishOptions, QoS};

use crate::support::{Device, Dial, Identity, LIMIT, QUIET, cloud};

fn connected(cloud: &IotCore) -> Device {
    let (identity, _) = Identity::registered(cloud, "gw-1", Status::Active);
    let device = Dial::new(cloud, &identity).connect("gw-1");
    device.wait_for_connack();
    device
}

fn cut(cloud: &IotCore) -> Reason {
    match cloud.wait_for(LIMIT, |event| matches!(event, Event::Disconnected { .. })).unwrap() {
        Event::Disconnected { reason, .. } => reason,
        _ => unreachable!(),
    }
}

#[test]
fn a_publish_is_acknowledged_and_seen_by_the_cloud() {
    let cloud = cloud();
    let device = connected(&cloud);
    let telemetry = cloud.subscribe("gw/+/telemetry").unwrap();
    device.publish("gw/gw-1/telemetry", "{\"t\":21}", QoS::AtLeastOnce);
    device.wait_for(|packet| matches!(packet, Packet::PubAck(_)));
    let expected = Message { topic: "gw/gw-1/telemetry".to_owned(), payload: "{\"t\":21}".into() };
    assert_eq!(telemetry.recv_timeout(LIMIT), Ok(expected));
    let event = cloud.wait_for(LIMIT, |event| matches!(event, Event::Published { .. })).unwrap();
    let Event::Published { topic, qos, payload_len, acknowledged, duplicate, .. } = event else {
        unreachable!()
    };
    assert_eq!((topic.as_str(), qos, payload_len), ("gw/gw-1/telemetry", Qos::AtLeastOnce, 8));
    assert!(acknowledged && !duplicate);
}

#[test]
fn a_command_of_the_cloud_is_received() {
    let cloud = cloud();
    let device = connected(&cloud);
    device.subscribe("gw/gw-1/command/#");
    cloud
        .wait_for(LIMIT, |event| {
            matches!(event, Event::Subscribed { filters, .. }
                if *filters == [("gw/gw-1/command/#".to_owned(), Qos::AtLeastOnce)])
        })
        .unwrap();
    cloud.publish("gw/gw-1/command/led", "on", Qos::AtLeastOnce).unwrap();
    assert_eq!(device.wait_for_message(), ("gw/gw-1/command/led".to_owned(), b"on".to_vec()));
    assert!(cloud.publish("gw/#", "", Qos::AtMostOnce).is_err());
}

#[test]
fn a_denied_publish_or_subscribe_cuts() {
    for (action, kind) in [(Action::Publish, "topic"), (Action::Subscribe, "topicfilter")] {
        let cloud = cloud();
        let device = connected(&cloud);
        match action {
            Action::Publish => device.publish("gw/gw-2/telemetry", "x", QoS::AtLeastOnce),
            _ => device.client.try_subscribe("gw/gw-2/telemetry", QoS::AtMostOnce).unwrap(),
        }
        let resource = format!("arn:aws:iot:emulator-1:000000000000:{kind}/gw/gw-2/telemetry");
        assert_eq!(cut(&cloud), Reason::Denied { action, resource });
        device.wait_for_error();
    }
}

#[test]
fn what_may_not_be_received_is_not_sent() {
    let cloud = cloud();
    let device = connected(&cloud);
    device.subscribe("gw/gw-1/#");
    // More than the broker library lets be unacknowledged at once: the front answers for the client.
    for _ in 0..200 {
        cloud.publish("gw/gw-1/hidden", "x", Qos::AtLeastOnce).unwrap();
    }
    assert!(!device.hears_something());
    cloud.publish("gw/gw-1/open", "x", Qos::AtLeastOnce).unwrap();
    assert_eq!(device.wait_for_message().0, "gw/gw-1/open");
}

#[test]
fn retained_messages_go_to_exact_subscriptions_only() {
    let cloud = cloud();
    let device = connected(&cloud);
    let options = PublishOptions::new(QoS::AtLeastOnce).retained();
    device.client.try_publish("gw/gw-1/state", "kept", options).unwrap();
    device.wait_for(|packet| matches!(packet, Packet::PubAck(_)));
    device.subscribe("gw/gw-1/#");
    assert!(!device.hears_something());
    device.subscribe("gw/gw-1/state");
    assert_eq!(device.wait_for_message(), ("gw/gw-1/state".to_owned(), b"kept".to_vec()));
}

/// Something that a client should not do.
type Breach<'a> = &'a dyn Fn(&Device);

#[test]
fn quotas_cut() {
    let deep = "gw/gw-1/3/4/5/6/7/8/9";
    let long = format!("gw/gw-1/{}", "x".repeat(249));
    let cases: [(Breach<'_>, Reason); 6] = [
        (&|device| device.publish("gw/gw-1/t", vec![0; 131_073], QoS::AtLeastOnce), Reason::PayloadTooLarge),
        (&|device| device.publish(deep, "x", QoS::AtMostOnce), Reason::TopicTooDeep(8)),
        (&|device| device.publish(&long, "x", QoS::AtMostOnce), Reason::TopicTooLong(257)),
        (&|device| device.publish("gw/gw-1/t", "x", QoS::ExactlyOnce), Reason::Qos2),
        (
            &|device| {
                let filters =
                    (0..9).map(|n| rumqttc::SubscribeFilter::new(format!("gw/gw-1/{n}"), QoS::AtMostOnce));
                device.client.try_subscribe_many(filters).unwrap();
            },
            Reason::TooManyFilters(9),
        ),
        (
            &|device| device.publish("$aws/things/gw-1/shadow/update/accepted", "{}", QoS::AtMostOnce),
            Reason::ReservedTopic("$aws/things/gw-1/shadow/update/accepted".to_owned()),
        ),
    ];
    for (breach, reason) in cases {
        let cloud = cloud();
        let device = connected(&cloud);
        breach(&device);
        assert_eq!(cut(&cloud), reason);
    }
}

#[test]
fn the_largest_payload_passes() {
    let cloud = cloud();
    let device = connected(&cloud);
    let seen = cloud.subscribe("gw/#").unwrap();
    device.publish("gw/gw-1/t", vec![7; 131_072], QoS::AtLeastOnce);
    assert_eq!(seen.recv_timeout(LIMIT).unwrap().payload.len(), 131_072);
    assert!(cloud.wait_for(QUIET, |event| matches!(event, Event::Disconnected { .. })).is_err());
}
