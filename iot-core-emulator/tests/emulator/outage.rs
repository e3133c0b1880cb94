//! Outages: cuts, closed ports, sessions that survive, and the end of the emulator.

use std::net::{TcpListener, TcpStream};

use iot_core_emulator::{Event, IotCore, Options, Qos, Reason, Status};

use crate::support::{Dial, Identity, LIMIT, cloud};

#[test]
fn a_client_comes_back_after_a_cut_with_a_full_handshake() {
    let cloud = cloud();
    let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
    let device = Dial::new(&cloud, &identity).connect("gw-1");
    device.wait_for_connack();
    assert_eq!(cloud.disconnect_all(), 1);
    cloud.wait_for(LIMIT, |event| matches!(event, Event::Disconnected { reason: Reason::Cut, .. })).unwrap();
    // A resumed TLS session would show no certificate, but this one does.
    cloud.wait_for(LIMIT, |event| matches!(event, Event::TlsAccepted { connection: 2, .. })).unwrap();
    cloud.wait_for(LIMIT, |event| matches!(event, Event::Connected { connection: 2, .. })).unwrap();
}

#[test]
fn closed_listeners_refuse_and_open_again_on_the_same_ports() {
    let cloud = cloud();
    let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
    let device = Dial::new(&cloud, &identity).connect("gw-1");
    device.wait_for_connack();
    cloud.stop_listening().unwrap();
    for address in [cloud.mqtt_address(), cloud.alpn_address()] {
        assert!(TcpStream::connect(address).is_err());
    }
    cloud.disconnect_all();
    device.wait_for_error();
    cloud.resume_listening().unwrap();
    cloud.resume_listening().unwrap();
    device.wait_for_connack();
}

#[test]
fn a_persistent_session_keeps_messages_for_a_client_that_is_away() {
    let cloud = cloud();
    let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
    let dial = || Dial { clean_session: false, ..Dial::new(&cloud, &identity) };
    let device = dial().connect("gw-1");
    assert!(!device.wait_for_connack());
    device.subscribe("gw/gw-1/command");
    device.client.try_disconnect().unwrap();
    cloud.wait_for(LIMIT, |event| matches!(event, Event::Disconnected { .. })).unwrap();
    drop(device);
    for number in ["1", "2", "3"] {
        cloud.publish("gw/gw-1/command", number, Qos::AtLeastOnce).unwrap();
    }
    let device = dial().connect("gw-1");
    assert!(device.wait_for_connack());
    for number in ["1", "2", "3"] {
        assert_eq!(device.wait_for_message().1, number.as_bytes());
    }
}

#[test]
fn dropping_frees_the_ports_and_cuts_clients() {
    let cloud = cloud();
    let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
    let device = Dial::new(&cloud, &identity).connect("gw-1");
    device.wait_for_connack();
    let addresses = [cloud.mqtt_address(), cloud.alpn_address()];
    drop(cloud);
    device.wait_for_error();
    for address in addresses {
        assert!(TcpStream::connect(address).is_err());
    }
    let again = Options { mqtt_address: addresses[0], alpn_address: addresses[1], ..Options::default() };
    assert_eq!(IotCore::start(again).unwrap().mqtt_address(), addresses[0]);
}

#[test]
fn a_taken_port_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let options = Options { mqtt_address: taken.local_addr().unwrap(), ..Options::default() };
    assert!(matches!(IotCore::start(options), Err(iot_core_emulator::Error::Bind { .. })));
}

#[tokio::test]
async fn it_starts_and_stops_inside_an_asynchronous_test() {
    let cloud = cloud();
    cloud.publish("a", "b", Qos::AtMostOnce).unwrap();
    drop(cloud);
}
