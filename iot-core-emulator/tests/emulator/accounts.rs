//! Several accounts behind one port: SNI decides.

use iot_core_emulator::{Error, Event, IotCore, Options, Reason, Status};
use rumqttc::QoS;

use crate::support::{Dial, Identity, LIMIT};

const SECOND: &str = "second-ats.iot.local.test";
const ALL: &str =
    r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}}"#;

fn two_accounts() -> IotCore {
    let further_accounts = vec![(SECOND.to_owned(), "111111111111".to_owned())];
    IotCore::start(Options { further_accounts, ..Options::default() }).unwrap()
}

#[test]
fn one_certificate_is_active_in_two_accounts_and_the_server_name_decides() {
    let cloud = two_accounts();
    let identity = Identity::new("gw-1");
    for endpoint in [cloud.endpoint(), SECOND] {
        let registry = cloud.registry_of(endpoint).unwrap();
        let id = registry.register_certificate(&identity.certificate, Status::Active).unwrap();
        registry.create_policy("all", ALL).unwrap();
        registry.attach_policy("all", &id).unwrap();
    }
    let first = Dial::new(&cloud, &identity).connect("gw-1");
    first.wait_for_connack();
    let second = Dial { server_name: SECOND.to_owned(), ..Dial::new(&cloud, &identity) }.connect("gw-1");
    second.wait_for_connack();
    // The same client id in another account is another client, and messages stay in their account.
    first.subscribe("#");
    second.subscribe("#");
    second.publish("t", "from the second", QoS::AtLeastOnce);
    assert_eq!(second.wait_for_message(), ("t".to_owned(), b"from the second".to_vec()));
    assert!(!first.hears_something());
    first.publish("t", "from the first", QoS::AtLeastOnce);
    assert_eq!(first.wait_for_message().1, b"from the first");
    assert!(!cloud.events().any(|event| matches!(event, Event::Disconnected { .. })));
}

#[test]
fn what_one_account_knows_is_unknown_to_the_other() {
    let cloud = two_accounts();
    let (identity, id) = {
        cloud.registry().create_policy("gateway", ALL).unwrap();
        Identity::registered(&cloud, "gw-1", Status::Active)
    };
    let _stranger = Dial { server_name: SECOND.to_owned(), ..Dial::new(&cloud, &identity) }.connect("gw-1");
    let refused = |event: &Event| matches!(event, Event::Refused { .. });
    let Event::Refused { reason, .. } = cloud.wait_for(LIMIT, refused).unwrap() else { unreachable!() };
    assert_eq!(reason, Reason::UnknownCertificate(id));
    assert!(cloud.registry_of("third-ats.iot.local.test").is_none());
}

#[test]
fn two_accounts_cannot_share_an_endpoint() {
    let options = Options::default();
    let further_accounts = vec![(options.endpoint.clone(), "1".to_owned())];
    assert!(matches!(IotCore::start(Options { further_accounts, ..options }), Err(Error::Endpoint(_))));
}
