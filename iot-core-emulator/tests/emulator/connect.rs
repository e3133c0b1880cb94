//! Who may connect.

use std::io::{Read, Write};
use std::sync::Arc;

use iot_core_emulator::{Action, CertificateId, Error, Event, IotCore, Listener, Options, Reason, Status};
use rustls::HandshakeKind;
use rustls::version::{TLS12, TLS13};

use crate::support::{CONNECT, Device, Dial, Identity, LIMIT, cloud, open};

fn refusal(cloud: &IotCore) -> Reason {
    match cloud.wait_for(LIMIT, |event| matches!(event, Event::Refused { .. })).unwrap() {
        Event::Refused { reason, .. } => reason,
        _ => unreachable!(),
    }
}

#[test]
fn an_active_certificate_connects_with_tls_12_and_13() {
    let cloud = cloud();
    let (identity, id) = Identity::registered(&cloud, "gw-1", Status::Active);
    assert_eq!(id, CertificateId::of(&identity.certificate));
    for (version, name) in [(&TLS12, "TLSv1_2"), (&TLS13, "TLSv1_3")] {
        let mut dial = Dial::new(&cloud, &identity);
        dial.tls = identity.tls(&cloud, &[version]);
        let device = dial.connect("gw-1");
        assert!(!device.wait_for_connack());
        let event = cloud.wait_for(LIMIT, |event| matches!(event, Event::TlsAccepted { .. })).unwrap();
        let Event::TlsAccepted {
            version, server_name, alpn, certificate_id, common_name, cipher_suite, ..
        } = event
        else {
            unreachable!()
        };
        assert_eq!(version, name);
        assert!(cipher_suite.contains("AES"), "{cipher_suite}");
        assert_eq!(server_name, cloud.endpoint());
        assert_eq!(alpn, None);
        assert_eq!(certificate_id, id);
        assert_eq!(common_name.as_deref(), Some("gw-1"));
        cloud
            .wait_for(LIMIT, |event| {
                matches!(event, Event::Connected { client_id, session_present: false, .. } if client_id == "gw-1")
            })
            .unwrap();
        device.client.try_disconnect().unwrap();
        cloud
            .wait_for(LIMIT, |event| matches!(event, Event::Disconnected { reason: Reason::Goodbye, .. }))
            .unwrap();
    }
}

#[test]
fn no_handshake_resumes_an_older_one() {
    let cloud = cloud();
    let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
    for version in [&TLS12, &TLS13] {
        let config = Arc::new(identity.tls(&cloud, &[version]));
        for _ in 0..2 {
            let mut stream = open(&cloud, config.clone());
            stream.write_all(CONNECT).unwrap();
            let mut connack = [0; 4];
            stream.read_exact(&mut connack).unwrap();
            assert_eq!(stream.conn.handshake_kind(), Some(HandshakeKind::Full));
        }
    }
}

#[test]
fn an_unknown_certificate_is_closed_without_connack() {
    let cloud = cloud();
    let identity = Identity::new("stranger");
    let device = Dial::new(&cloud, &identity).connect("stranger");
    assert!(!device.wait_for_error().contains("ReturnCode"));
    assert_eq!(refusal(&cloud), Reason::UnknownCertificate(CertificateId::of(&identity.certificate)));
}

#[test]
fn an_inactive_certificate_is_told_so() {
    for status in [Status::Inactive, Status::Revoked] {
        let cloud = cloud();
        let (identity, _) = Identity::registered(&cloud, "gw-1", status);
        let device = Dial::new(&cloud, &identity).connect("gw-1");
        let error = device.wait_for_error();
        assert!(error.contains("InvalidConnectReturnCode(7)"), "{error}");
        assert_eq!(refusal(&cloud), Reason::CertificateNotActive(status));
    }
}

#[test]
fn the_code_of_the_specification_can_be_chosen() {
    let cloud = IotCore::start(Options { not_authorised_code: 5, ..Options::default() }).unwrap();
    let identity = Identity::new("gw-1");
    cloud.registry().register_certificate(&identity.certificate, Status::Inactive).unwrap();
    let error = Dial::new(&cloud, &identity).connect("gw-1").wait_for_error();
    assert!(error.contains("NotAuthorized"), "{error}");
}

#[test]
fn a_client_id_that_the_policy_does_not_allow_is_refused() {
    let cloud = cloud();
    let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
    let _device = Dial::new(&cloud, &identity).connect("somebody-else");
    let resource = "arn:aws:iot:emulator-1:000000000000:client/somebody-else".to_owned();
    assert_eq!(refusal(&cloud), Reason::Denied { action: Action::Connect, resource });
}

#[test]
fn a_certificate_that_is_switched_off_cuts_its_connection() {
    let cloud = cloud();
    let (identity, id) = Identity::registered(&cloud, "gw-1", Status::Active);
    let device = Dial::new(&cloud, &identity).connect("gw-1");
    device.wait_for_connack();
    cloud.registry().set_status(&id, Status::Revoked).unwrap();
    let reason = Reason::CertificateNotActive(Status::Revoked);
    cloud
        .wait_for(LIMIT, |event| matches!(event, Event::Disconnected { reason: r, .. } if *r == reason))
        .unwrap();
}

#[test]
fn the_server_name_must_be_the_endpoint() {
    for (name, reason) in [
        ("other-ats.iot.local.test", Reason::WrongServerName("other-ats.iot.local.test".to_owned())),
        // An IP address sends no SNI at all.
        ("127.0.0.1", Reason::NoServerName),
    ] {
        let cloud = cloud();
        let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
        let device = Dial { server_name: name.to_owned(), ..Dial::new(&cloud, &identity) }.connect("gw-1");
        device.wait_for_error();
        assert_eq!(refusal(&cloud), reason);
        assert!(!cloud.events().any(|event| matches!(event, Event::TlsAccepted { .. })));
    }
}

#[test]
fn the_second_listener_demands_alpn() {
    let cloud = cloud();
    let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
    let dial = |protocols: &[&[u8]]| -> Device {
        let mut dial = Dial { address: cloud.alpn_address(), ..Dial::new(&cloud, &identity) };
        dial.tls.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        dial.connect("gw-1")
    };
    for protocols in [[].as_slice(), &[b"mqtt".as_slice()]] {
        let device = dial(protocols);
        device.wait_for_error();
        drop(device);
        assert_eq!(refusal(&cloud), Reason::NoAlpn);
    }
    let device = dial(&[b"h2", b"x-amzn-mqtt-ca"]);
    device.wait_for_connack();
    cloud
        .wait_for(LIMIT, |event| {
            matches!(event, Event::TlsAccepted { listener: Listener::Alpn, alpn: Some(alpn), .. }
                if alpn == "x-amzn-mqtt-ca")
        })
        .unwrap();
}

#[test]
fn the_newer_of_two_equal_client_ids_wins() {
    let cloud = cloud();
    let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
    let first = Dial::new(&cloud, &identity).connect("gw-1");
    first.wait_for_connack();
    let second = Dial::new(&cloud, &identity).connect("gw-1");
    second.wait_for_connack();
    let event = cloud.wait_for(LIMIT, |event| matches!(event, Event::Disconnected { .. })).unwrap();
    assert!(matches!(event, Event::Disconnected { connection: 1, reason: Reason::DuplicateClientId, .. }));
    first.wait_for_error();
}

#[test]
fn a_name_that_could_be_aws_is_refused() {
    let endpoint = "emulator-ats.iot.eu-central-1.amazonaws.com".to_owned();
    let started = IotCore::start(Options { endpoint, ..Options::default() });
    assert!(matches!(started, Err(Error::Endpoint(_))));
}
