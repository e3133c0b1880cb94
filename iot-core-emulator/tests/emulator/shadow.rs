//! The shadow service over MQTT.

use iot_core_emulator::{Error, Event, Status};
use rumqttc::QoS;
use serde_json::{Value, json};

use crate::support::{Device, Dial, Identity, LIMIT, cloud};

fn answer(device: &Device) -> (String, Value) {
    let (topic, payload) = device.wait_for_message();
    (topic, serde_json::from_slice(&payload).unwrap())
}

#[test]
fn a_device_follows_its_shadow() {
    let cloud = cloud();
    let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
    let device = Dial::new(&cloud, &identity).connect("gw-1");
    device.wait_for_connack();
    device.subscribe("$aws/things/gw-1/shadow/+/accepted");
    device.subscribe("$aws/things/gw-1/shadow/+/rejected");
    device.subscribe("$aws/things/gw-1/shadow/update/delta");

    device.publish("$aws/things/gw-1/shadow/get", "", QoS::AtMostOnce);
    let (topic, body) = answer(&device);
    assert_eq!(topic, "$aws/things/gw-1/shadow/get/rejected");
    assert_eq!(body["code"], 404);

    assert_eq!(cloud.set_desired("gw-1", &json!({"led": "on"})).unwrap(), 1);
    assert_eq!(answer(&device).0, "$aws/things/gw-1/shadow/update/accepted");
    let (topic, delta) = answer(&device);
    assert_eq!(topic, "$aws/things/gw-1/shadow/update/delta");
    assert_eq!(delta["state"], json!({"led": "on"}));

    let update = json!({"state": {"reported": {"led": "on"}}, "clientToken": "c-1", "version": 1});
    device.publish("$aws/things/gw-1/shadow/update", update.to_string(), QoS::AtLeastOnce);
    let (topic, accepted) = answer(&device);
    assert_eq!(topic, "$aws/things/gw-1/shadow/update/accepted");
    assert_eq!((&accepted["clientToken"], &accepted["version"]), (&json!("c-1"), &json!(2)));
    let event = cloud
        .wait_for(LIMIT, |event| matches!(event, Event::ShadowUpdated { connection: Some(_), .. }))
        .unwrap();
    assert!(matches!(event, Event::ShadowUpdated { thing, version: 2, .. } if thing == "gw-1"));
    let shadow = cloud.registry().shadow("gw-1", None).unwrap();
    assert_eq!(shadow["state"], json!({"desired": {"led": "on"}, "reported": {"led": "on"}}));

    // The same version again is a conflict now.
    device.publish("$aws/things/gw-1/shadow/update", update.to_string(), QoS::AtLeastOnce);
    let (topic, body) = answer(&device);
    assert_eq!(topic, "$aws/things/gw-1/shadow/update/rejected");
    assert_eq!(body["code"], 409);
}

#[test]
fn a_named_shadow_is_another_one() {
    let cloud = cloud();
    let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
    let device = Dial::new(&cloud, &identity).connect("gw-1");
    device.wait_for_connack();
    device.subscribe("$aws/things/gw-1/shadow/name/net/#");
    let update = json!({"state": {"reported": {"ip": "10.0.0.1"}}}).to_string();
    device.publish("$aws/things/gw-1/shadow/name/net/update", update, QoS::AtMostOnce);
    let mut topics = Vec::new();
    while topics.len() < 3 {
        topics.push(answer(&device).0);
    }
    topics.sort();
    let expected = ["", "/accepted", "/documents"]
        .map(|below| format!("$aws/things/gw-1/shadow/name/net/update{below}"));
    assert_eq!(topics, expected);
    assert!(cloud.registry().shadow("gw-1", None).is_none());
    assert_eq!(cloud.registry().shadow("gw-1", Some("net")).unwrap()["version"], 1);
}

#[test]
fn the_cloud_hears_why_its_update_was_rejected() {
    let cloud = cloud();
    assert!(matches!(cloud.set_desired("gw-1", &json!(1)), Err(Error::Shadow { code: 400, .. })));
    assert!(matches!(cloud.set_desired("a/b", &json!({})), Err(Error::ThingName(_))));
}
