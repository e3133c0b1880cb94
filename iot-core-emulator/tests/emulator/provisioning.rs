//! Fleet provisioning over MQTT, in both formats.

use std::time::Duration;

use iot_core_emulator::{CertificateId, Event, IotCore, Reason, Status};
use rcgen::{CertificateParams, DnType, KeyPair};
use rumqttc::QoS;
use serde_json::{Value, json};

use crate::support::{Device, Dial, Identity, LIMIT, cloud};

const TEMPLATE: &str = r#"{
    "Parameters": {"AWS::IoT::Certificate::Id": {"Type": "String"}, "SerialNumber": {"Type": "String"}},
    "Resources": {
        "thing": {"Type": "AWS::IoT::Thing", "Properties": {"ThingName": {"Ref": "SerialNumber"}}},
        "certificate": {"Type": "AWS::IoT::Certificate",
            "Properties": {"CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"}},
        "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": "gateway"}}
    },
    "DeviceConfiguration": {"Site": "north"}
}"#;

/// The policy of the guide for claims, with the topics of requests by CSR, which the guide's leaves out.
const CLAIM_POLICY: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
        {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": [
            "arn:aws:iot:*:*:topic/$aws/certificates/*",
            "arn:aws:iot:*:*:topic/$aws/provisioning-templates/fleet/provision/*"]},
        {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": [
            "arn:aws:iot:*:*:topicfilter/$aws/certificates/*",
            "arn:aws:iot:*:*:topicfilter/$aws/provisioning-templates/fleet/provision/*"]}
    ]
}"#;

fn prepared() -> IotCore {
    let cloud = cloud();
    cloud.registry().create_provisioning_template("fleet", TEMPLATE).unwrap();
    cloud
}

/// A claim that its owner made and registered.
fn claim(cloud: &IotCore) -> Identity {
    let claim = Identity::new("claim");
    let registry = cloud.registry();
    let id = registry.register_certificate(&claim.certificate, Status::Active).unwrap();
    registry.create_policy("claim", CLAIM_POLICY).unwrap();
    registry.attach_policy("claim", &id).unwrap();
    claim
}

/// A connected device that asks in one format.
struct Asking {
    device: Device,
    format: &'static str,
}

impl Asking {
    fn new(cloud: &IotCore, claim: &Identity, client_id: &str, format: &'static str) -> Self {
        let device = Dial::new(cloud, claim).connect(client_id);
        device.wait_for_connack();
        for call in
            ["certificates/create-from-csr", "certificates/create", "provisioning-templates/fleet/provision"]
        {
            device.subscribe(&format!("$aws/{call}/{format}/+"));
        }
        Self { device, format }
    }

    fn send(&self, call: &str, payload: Vec<u8>) {
        self.device.publish(&format!("$aws/{call}/{}", self.format), payload, QoS::AtLeastOnce);
    }

    /// The last level of the answer's topic, and the answer.
    fn ask(&self, call: &str, body: &Value) -> (String, Value) {
        let mut payload = body.to_string().into_bytes();
        if self.format == "cbor" {
            payload.clear();
            ciborium::into_writer(body, &mut payload).unwrap();
        }
        self.send(call, payload);
        self.answer(call)
    }

    fn answer(&self, call: &str) -> (String, Value) {
        let (topic, payload) = self.device.wait_for_message();
        let last = topic.strip_prefix(&format!("$aws/{call}/{}/", self.format)).expect(&topic);
        let answer = match self.format {
            "cbor" => ciborium::from_reader(&*payload).unwrap(),
            _ => serde_json::from_slice(&payload).unwrap(),
        };
        (last.to_owned(), answer)
    }

    fn create(&self, csr: &str) -> Value {
        let (last, answer) =
            self.ask("certificates/create-from-csr", &json!({ "certificateSigningRequest": csr }));
        assert_eq!(last, "accepted", "{answer}");
        answer
    }

    fn register(&self, token: &Value, parameters: &Value) -> (String, Value) {
        let body = json!({ "certificateOwnershipToken": token, "parameters": parameters });
        self.ask("provisioning-templates/fleet/provision", &body)
    }
}

fn request(common_name: &str) -> (KeyPair, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let pem = params.serialize_request(&key).unwrap().pem().unwrap();
    (key, pem)
}

#[test]
fn a_claim_becomes_a_thing_by_csr_in_json_and_cbor() {
    let cloud = prepared();
    let claim = claim(&cloud);
    for (format, name) in [("json", "gw-1"), ("cbor", "gw-2")] {
        let asking = Asking::new(&cloud, &claim, name, format);
        let (key, csr) = request(name);
        let created = asking.create(&csr);
        let identity = Identity::from_pem(created["certificatePem"].as_str().unwrap(), &key.serialize_pem());
        let id = CertificateId::of(&identity.certificate);
        assert_eq!(created["certificateId"], id.as_str());
        assert!(created.get("privateKey").is_none());
        assert_eq!(cloud.registry().status(&id), Some(Status::PendingActivation));
        let (last, told) =
            asking.register(&created["certificateOwnershipToken"], &json!({ "SerialNumber": name }));
        assert_eq!((last.as_str(), &told["thingName"]), ("accepted", &json!(name)));
        assert_eq!(told["deviceConfiguration"], json!({ "Site": "north" }));
        assert_eq!(cloud.registry().status(&id), Some(Status::Active));
        // Once is enough for a token.
        let (last, told) =
            asking.register(&created["certificateOwnershipToken"], &json!({ "SerialNumber": name }));
        assert_eq!(
            (last.as_str(), &told["errorCode"]),
            ("rejected", &json!("InvalidCertificateOwnershipToken"))
        );
        drop(asking);
        let device = Dial::new(&cloud, &identity).connect(name);
        device.wait_for_connack();
        device.publish(&format!("gw/{name}/t"), "hello", QoS::AtLeastOnce);
        cloud
            .wait_for(LIMIT, |event| {
                matches!(event, Event::Published { client_id, acknowledged: true, topic, .. }
                if client_id == name && topic.starts_with("gw/"))
            })
            .unwrap();
    }
}

#[test]
fn keys_are_made_on_request() {
    let cloud = prepared();
    let asking = Asking::new(&cloud, &claim(&cloud), "gw-1", "json");
    asking.send("certificates/create", Vec::new());
    let (last, created) = asking.answer("certificates/create");
    assert_eq!(last, "accepted");
    let (pem, key) = (created["certificatePem"].as_str().unwrap(), created["privateKey"].as_str().unwrap());
    let identity = Identity::from_pem(pem, key);
    let registered =
        asking.register(&created["certificateOwnershipToken"], &json!({ "SerialNumber": "gw-1" }));
    assert_eq!(registered.0, "accepted");
    drop(asking);
    Dial::new(&cloud, &identity).connect("gw-1").wait_for_connack();
}

#[test]
fn an_answer_goes_to_whoever_asked() {
    let cloud = prepared();
    let claim = claim(&cloud);
    let (first, second) =
        (Asking::new(&cloud, &claim, "gw-1", "json"), Asking::new(&cloud, &claim, "gw-2", "json"));
    first.create(&request("gw-1").1);
    assert!(!second.device.hears_something());
}

#[test]
fn what_is_wrong_is_told_and_changes_nothing() {
    let cloud = prepared();
    for format in ["json", "cbor"] {
        let claim = if format == "json" {
            claim(&cloud)
        } else {
            let claim = cloud.registry().create_provisioning_claim("fleet").unwrap();
            Identity::from_pem(&claim.certificate_pem, &claim.private_key_pem)
        };
        let asking = Asking::new(&cloud, &claim, "gw-1", format);
        let error = |(last, told): (String, Value), code: &str, says: &str| {
            assert_eq!(last, "rejected");
            assert_eq!((&told["statusCode"], &told["errorCode"]), (&json!(400), &json!(code)), "{told}");
            assert!(told["errorMessage"].as_str().unwrap().contains(says), "{told}");
        };
        asking.send("certificates/create-from-csr", b"\xff{".to_vec());
        error(asking.answer("certificates/create-from-csr"), "InvalidPayload", "parsed");
        let bad = json!({ "certificateSigningRequest": "hello" });
        error(asking.ask("certificates/create-from-csr", &bad), "InvalidPayload", "PKCS#10");
        let serial = json!({ "SerialNumber": "gw-1" });
        error(asking.register(&json!(""), &serial), "InvalidCertificateOwnershipToken", "empty");
        error(asking.register(&json!("x"), &serial), "InvalidCertificateOwnershipToken", "invalid");
        let token = asking.create(&request("gw-1").1)["certificateOwnershipToken"].clone();
        error(asking.register(&token, &json!({})), "ProvisioningFailed", "SerialNumber");
        error(asking.register(&token, &json!({ "SerialNumber": "a b" })), "ProvisioningFailed", "a b");
        assert!(cloud.registry().thing("a b").is_none());
        // The token is still good for a request that is right.
        assert_eq!(asking.register(&token, &serial).0, "accepted");
    }
}

#[test]
fn an_ownership_token_lives_for_an_hour_and_its_certificate_no_longer() {
    let cloud = prepared();
    let asking = Asking::new(&cloud, &claim(&cloud), "gw-1", "json");
    let serial = json!({ "SerialNumber": "gw-1" });
    let created = asking.create(&request("gw-1").1);
    let pem = created["certificatePem"].as_str().unwrap();
    let id = CertificateId::of(
        &Identity::from_pem(pem, &KeyPair::generate().unwrap().serialize_pem()).certificate,
    );
    cloud.advance_clock(Duration::from_secs(59 * 60));
    assert_eq!(cloud.registry().status(&id), Some(Status::PendingActivation));
    cloud.advance_clock(Duration::from_secs(60));
    assert_eq!(asking.register(&created["certificateOwnershipToken"], &serial).0, "rejected");
    assert_eq!(cloud.registry().status(&id), None);
}

#[test]
fn the_claim_of_a_trusted_user_is_for_one_template_and_five_minutes() {
    let cloud = prepared();
    let claim = cloud.registry().create_provisioning_claim("fleet").unwrap();
    let identity = Identity::from_pem(&claim.certificate_pem, &claim.private_key_pem);
    let asking = Asking::new(&cloud, &identity, "anything", "json");
    let token = asking.create(&request("gw-1").1)["certificateOwnershipToken"].clone();
    assert_eq!(asking.register(&token, &json!({ "SerialNumber": "gw-1" })).0, "accepted");
    asking.device.publish("telemetry", "hello", QoS::AtLeastOnce);
    let denied = |event: &Event| matches!(event, Event::Disconnected { reason: Reason::Denied { .. }, .. });
    cloud.wait_for(LIMIT, denied).unwrap();
    drop(asking);
    cloud.advance_clock(Duration::from_secs(5 * 60));
    let _late = Dial::new(&cloud, &identity).connect("anything");
    let unknown = |event: &Event| {
        matches!(event, Event::Refused { reason: Reason::UnknownCertificate(id), .. }
        if *id == claim.certificate_id)
    };
    cloud.wait_for(LIMIT, unknown).unwrap();
    assert!(cloud.registry().create_provisioning_claim("other").is_err());
}

#[test]
fn nobody_but_the_service_publishes_answers() {
    let cloud = prepared();
    let asking = Asking::new(&cloud, &claim(&cloud), "gw-1", "json");
    asking.device.publish("$aws/certificates/create/json/accepted", "{}", QoS::AtLeastOnce);
    cloud
        .wait_for(LIMIT, |event| {
            matches!(event, Event::Disconnected { reason: Reason::ReservedTopic(_), .. })
        })
        .unwrap();
}
