//! Devices that nobody registered: just-in-time registration and provisioning.

use std::time::Duration;

use iot_core_emulator::{CaCertificate, CertificateId, Error, Event, IotCore, Options, Reason, Status};
use rcgen::DnType;
use rumqttc::QoS;
use serde_json::{Value, json};

use crate::support::{Authority, Dial, Identity, LIMIT, cloud};

/// Things are named by the common name, and have the policy that all tests share.
fn template(more: Value) -> String {
    let mut parameters = json!({
        "AWS::IoT::Certificate::CommonName": {"Type": "String"},
        "AWS::IoT::Certificate::Id": {"Type": "String"},
    });
    parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({
        "Parameters": parameters,
        "Resources": {
            "thing": {"Type": "AWS::IoT::Thing",
                "Properties": {"ThingName": {"Ref": "AWS::IoT::Certificate::CommonName"}}},
            "certificate": {"Type": "AWS::IoT::Certificate",
                "Properties": {"CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "ACTIVE"}},
            "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": "gateway"}},
        }
    })
    .to_string()
}

fn registration<'a>(authority: &'a Authority, template: Option<&'a str>) -> CaCertificate<'a> {
    CaCertificate { der: &authority.certificate, allow_auto_registration: true, template_body: template }
}

fn refusal(cloud: &IotCore) -> Reason {
    match cloud.wait_for(LIMIT, |event| matches!(event, Event::Refused { .. })).unwrap() {
        Event::Refused { reason, .. } => reason,
        _ => unreachable!(),
    }
}

#[test]
fn the_first_connection_is_dropped_and_the_second_is_a_thing() {
    let cloud = cloud();
    let authority = Authority::new("owner");
    let body = template(json!({}));
    let ca = cloud.registry().register_ca_certificate(registration(&authority, Some(&body))).unwrap();
    assert_eq!(ca, CertificateId::of(&authority.certificate));
    let identity = Identity::signed_by(&authority, &[(DnType::CommonName, "gw-1")]);
    let id = CertificateId::of(&identity.certificate);
    // It shows its own certificate only, and dials again by itself.
    let device = Dial::new(&cloud, &identity).connect("gw-1");
    assert!(!device.wait_for_error().contains("ReturnCode"));
    assert_eq!(refusal(&cloud), Reason::JustInTime);
    let provisioned = |event: &Event| matches!(event, Event::Provisioned { .. });
    let event = cloud.events().wait_for(LIMIT, provisioned).unwrap();
    let expected =
        Event::Provisioned { connection: None, certificate_id: id.clone(), thing: Some("gw-1".to_owned()) };
    assert_eq!(event, expected);
    device.wait_for_connack();
    assert_eq!(cloud.registry().status(&id), Some(Status::Active));
    device.publish("gw/gw-1/t", "hello", QoS::AtLeastOnce);
    let acknowledged = |event: &Event| matches!(event, Event::Published { acknowledged: true, .. });
    cloud.wait_for(LIMIT, acknowledged).unwrap();
}

#[test]
fn a_template_takes_its_time() {
    let provisioning_delay = Duration::from_millis(400);
    let cloud = IotCore::start(Options { provisioning_delay, ..Options::default() }).unwrap();
    cloud
        .registry()
        .create_policy(
            "gateway",
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:*","Resource":"*"}}"#,
        )
        .unwrap();
    let authority = Authority::new("owner");
    let body = template(json!({}));
    cloud.registry().register_ca_certificate(registration(&authority, Some(&body))).unwrap();
    let identity = Identity::signed_by(&authority, &[(DnType::CommonName, "gw-1")]);
    let device = Dial::new(&cloud, &identity).connect("gw-1");
    device.wait_for_connack();
    let dropped =
        cloud.events().filter(|event| matches!(event, Event::Refused { reason: Reason::JustInTime, .. }));
    assert!(dropped.count() > 1, "every connection before the end of the template is dropped");
    let registered = cloud.events().filter(|event| matches!(event, Event::CertificateRegistered { .. }));
    assert_eq!(registered.count(), 1);
    let provisioned = cloud.events().filter(|event| matches!(event, Event::Provisioned { .. }));
    assert_eq!(provisioned.count(), 1);
}

#[test]
fn a_parameter_that_the_subject_has_not_fails_the_provisioning() {
    let cloud = cloud();
    let authority = Authority::new("owner");
    let body = template(json!({"AWS::IoT::Certificate::Country": {"Type": "String"}}));
    cloud.registry().register_ca_certificate(registration(&authority, Some(&body))).unwrap();
    let identity = Identity::signed_by(&authority, &[(DnType::CommonName, "gw-1")]);
    let device = Dial::new(&cloud, &identity).connect("gw-1");
    let failed = |event: &Event| matches!(event, Event::ProvisioningFailed { .. });
    let Event::ProvisioningFailed { certificate_id, problem } = cloud.wait_for(LIMIT, failed).unwrap() else {
        unreachable!()
    };
    assert!(problem.contains("AWS::IoT::Certificate::Country"), "{problem}");
    assert_eq!(cloud.registry().status(&certificate_id), Some(Status::PendingActivation));
    assert!(cloud.registry().thing("gw-1").is_none(), "nothing half-made");
    drop(device);
    // With that attribute, and under a name that a thing may have, it works; not under another.
    for (name, works) in [("gw-2", true), ("0123 ATECC", false)] {
        let subject = [(DnType::CommonName, name), (DnType::CountryName, "DE")];
        let identity = Identity::signed_by(&authority, &subject);
        let device = Dial::new(&cloud, &identity).connect(name);
        let told = |event: &Event| match event {
            Event::Provisioned { thing, .. } => works && thing.as_deref() == Some(name),
            Event::ProvisioningFailed { problem, .. } => !works && problem.contains(name),
            _ => false,
        };
        cloud.wait_for(LIMIT, told).unwrap();
        drop(device);
    }
}

#[test]
fn registration_without_a_template_waits_for_somebody_and_says_so() {
    let cloud = cloud();
    let authority = Authority::new("owner");
    let ca = cloud.registry().register_ca_certificate(registration(&authority, None)).unwrap();
    let told = cloud.subscribe(&format!("$aws/events/certificates/registered/{ca}")).unwrap();
    let identity = Identity::signed_by(&authority, &[(DnType::CommonName, "gw-1")]);
    let id = CertificateId::of(&identity.certificate);
    let device = Dial::new(&cloud, &identity).connect("gw-1");
    for again in [false, true] {
        let event: Value = serde_json::from_slice(&told.recv_timeout(LIMIT).unwrap().payload).unwrap();
        assert_eq!(event["certificateId"], id.as_str());
        assert_eq!(event["caCertificateId"], ca.as_str());
        assert_eq!(event["certificateStatus"], "PENDING_ACTIVATION");
        assert_eq!(event["awsAccountId"], "000000000000");
        assert_eq!(event["certificateRegistrationTimestamp"].is_string(), again, "{event}");
    }
    // What a rule with a function would do.
    let registry = cloud.registry();
    registry.create_thing("gw-1", &[]).unwrap();
    registry.attach_thing("gw-1", &id).unwrap();
    registry.attach_policy("gateway", &id).unwrap();
    registry.set_status(&id, Status::Active).unwrap();
    device.wait_for_connack();
}

#[test]
fn devices_of_other_authorities_stay_unknown() {
    let cloud = cloud();
    let (owner, other, silent) = (Authority::new("owner"), Authority::new("owner"), Authority::new("silent"));
    let body = template(json!({}));
    cloud.registry().register_ca_certificate(registration(&owner, Some(&body))).unwrap();
    let off = CaCertificate { allow_auto_registration: false, ..registration(&silent, Some(&body)) };
    cloud.registry().register_ca_certificate(off).unwrap();
    // Of the same name, but with another key; and of one whose registration is switched off.
    for authority in [&other, &silent] {
        let identity = Identity::signed_by(authority, &[(DnType::CommonName, "gw-1")]);
        let _device = Dial::new(&cloud, &identity).connect("gw-1");
        assert_eq!(refusal(&cloud), Reason::UnknownCertificate(CertificateId::of(&identity.certificate)));
    }
}

#[test]
fn only_an_authority_is_registered_as_one() {
    let registry = cloud();
    let registry = registry.registry();
    let device = Identity::new("gw-1");
    let ca = CaCertificate { der: &device.certificate, allow_auto_registration: true, template_body: None };
    assert!(matches!(registry.register_ca_certificate(ca), Err(Error::NoAuthority)));
    let authority = Authority::new("owner");
    let bad = registration(&authority, Some("{}"));
    assert!(matches!(registry.register_ca_certificate(bad), Err(Error::Template(_))));
    registry.register_ca_certificate(registration(&authority, None)).unwrap();
    let again = registry.register_ca_certificate(registration(&authority, None));
    assert!(matches!(again, Err(Error::AlreadyExists { .. })));
}
