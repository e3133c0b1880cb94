//! Bytes that no client should send, before and after TLS.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use crate::support::{CONNECT, Dial, Identity, LIMIT, Stream, cloud, open};
use iot_core_emulator::{Event, IotCore, Options, Reason, Status};

/// A small generator with a fixed seed: the same garbage every time.
struct Garbage(u64);

impl Garbage {
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut next = || {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0.to_le_bytes()[3]
        };
        (0..length).map(|_| next()).collect()
    }
}

fn tls(cloud: &IotCore, identity: &Identity) -> Stream {
    open(cloud, Arc::new(identity.tls(cloud, rustls::ALL_VERSIONS)))
}

fn still_works(cloud: &IotCore, identity: &Identity) {
    let device = Dial::new(cloud, identity).connect("gw-1");
    device.wait_for_connack();
}

#[test]
fn garbage_before_tls_ends_the_connection() {
    let cloud = cloud();
    let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
    let mut garbage = Garbage(0x5EED);
    for round in 0..50 {
        let mut socket = TcpStream::connect(cloud.mqtt_address()).unwrap();
        let mut bytes = garbage.bytes(200);
        if round % 2 == 0 {
            // Looks like the record of a ClientHello at first.
            bytes[..5].copy_from_slice(&[0x16, 0x03, 0x01, 0x00, 0xC3]);
        }
        // It may be closed already.
        let _ = socket.write_all(&bytes);
        let _ = socket.shutdown(std::net::Shutdown::Write);
        cloud
            .wait_for(LIMIT, |event| matches!(event, Event::Refused { reason: Reason::Tls(_), .. }))
            .unwrap();
    }
    still_works(&cloud, &identity);
}

#[test]
fn garbage_after_tls_ends_the_connection() {
    let cloud = cloud();
    let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
    let mut garbage = Garbage(0xF00D);
    for round in 0..100 {
        let connected = round % 2 == 0;
        let mut stream = tls(&cloud, &identity);
        if connected {
            stream.write_all(CONNECT).unwrap();
            let mut connack = [0; 4];
            stream.read_exact(&mut connack).unwrap();
            assert_eq!(connack, [0x20, 2, 0, 0]);
        }
        let _ = stream.write_all(&garbage.bytes(64 + round));
        stream.conn.send_close_notify();
        let _ = stream.flush();
        let _ = stream.sock.shutdown(std::net::Shutdown::Write);
        cloud
            .wait_for(LIMIT, |event| match event {
                Event::Refused { .. } => !connected,
                Event::Disconnected { .. } => connected,
                _ => false,
            })
            .unwrap();
    }
    still_works(&cloud, &identity);
}

#[test]
fn every_truncation_of_connect_is_refused() {
    let cloud = cloud();
    let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
    for length in 0..CONNECT.len() {
        let mut stream = tls(&cloud, &identity);
        stream.conn.complete_io(&mut stream.sock).unwrap();
        stream.write_all(&CONNECT[..length]).unwrap();
        stream.conn.send_close_notify();
        let _ = stream.flush();
        let _ = stream.sock.shutdown(std::net::Shutdown::Write);
        drop(stream);
        let event = cloud.wait_for(LIMIT, |event| matches!(event, Event::Refused { .. })).unwrap();
        assert!(matches!(event, Event::Refused { reason: Reason::Lost, .. }), "{event}");
    }
}

#[test]
fn a_client_that_says_nothing_is_not_waited_for() {
    let limit = Duration::from_millis(200);
    let options = Options { handshake_timeout: limit, connect_timeout: limit, ..Options::default() };
    let cloud = IotCore::start(options).unwrap();
    let slow = |event: &Event| matches!(event, Event::Refused { reason: Reason::TooSlow(_), .. });
    let _silent = TcpStream::connect(cloud.mqtt_address()).unwrap();
    cloud.wait_for(LIMIT, slow).unwrap();
    let mut stream = tls(&cloud, &Identity::new("silent"));
    stream.conn.complete_io(&mut stream.sock).unwrap();
    cloud.wait_for(LIMIT, slow).unwrap();
}

#[test]
fn packets_out_of_place_end_the_connection() {
    let cloud = cloud();
    let (identity, _) = Identity::registered(&cloud, "gw-1", Status::Active);
    // CONNECT again, CONNACK, PINGRESP, PUBREL.
    for packet in [CONNECT, b"\x20\x02\x00\x00", b"\xD0\x00", b"\x62\x02\x00\x01"] {
        let mut stream = tls(&cloud, &identity);
        stream.write_all(CONNECT).unwrap();
        stream.write_all(packet).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert_eq!(rest, [0x20, 2, 0, 0]);
        let event = cloud.wait_for(LIMIT, |event| matches!(event, Event::Disconnected { .. })).unwrap();
        let Event::Disconnected { reason, .. } = event else { unreachable!() };
        assert!(matches!(reason, Reason::Protocol(_) | Reason::Qos2), "{reason}");
    }
    // Anything but CONNECT first.
    let mut stream = tls(&cloud, &identity);
    stream.write_all(b"\xC0\x00").unwrap();
    let event = cloud.wait_for(LIMIT, |event| matches!(event, Event::Refused { .. })).unwrap();
    assert!(matches!(event, Event::Refused { reason: Reason::Protocol(_), .. }), "{event}");
}
