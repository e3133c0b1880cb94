//! Networks that swallow instead of refusing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use atecc_agent::mqtt::{Disconnect, Event, Link};
use atecc_agent::tls::Versions;

use crate::{LIMIT, connector, options, registered};

/// Forwards to `target` until it is told to swallow everything on the connections that it has then.
struct Middlebox {
    address: SocketAddr,
    swallows: Arc<AtomicBool>,
}

impl Middlebox {
    fn new(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let swallows = Arc::new(AtomicBool::new(false));
        let of_listener = swallows.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(target).unwrap();
                forward(client.try_clone().unwrap(), server.try_clone().unwrap(), of_listener.clone());
                forward(server, client, of_listener.clone());
            }
        });
        Self { address, swallows }
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, swallows: Arc<AtomicBool>) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        // A connection that once lost bytes must stay mute; TLS would notice anything else.
        let mut mute = false;
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            mute |= swallows.load(Ordering::SeqCst);
            if !mute && to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
    });
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_given_up_and_made_again() {
    let stage = registered();
    let middlebox = Middlebox::new(stage.cloud.mqtt_address());
    let mut options = options(&stage);
    options.address = Some(middlebox.address.to_string());
    options.keep_alive_seconds = 1;
    let (link, mut events) = Link::start(options, connector(&stage, Versions::Both)).unwrap();
    assert!(matches!(events.next().await, Some(Event::Connected { .. })));

    middlebox.swallows.store(true, Ordering::SeqCst);
    let start = Instant::now();
    let receipt = link.publish(&format!("{}/telemetry", stage.thing), "x").unwrap();
    let Some(Event::Disconnected { reason: Disconnect::Silent, unacknowledged, .. }) = events.next().await
    else {
        panic!("the silence went unnoticed")
    };
    assert_eq!(unacknowledged, 1);
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());

    middlebox.swallows.store(false, Ordering::SeqCst);
    let acknowledgement = receipt.acknowledged(LIMIT).await.unwrap();
    assert!(acknowledgement.attempts >= 2);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_after_the_limit() {
    let stage = registered();
    let tarpit = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut options = options(&stage);
    options.address = Some(tarpit.local_addr().unwrap().to_string());
    options.connect_timeout = Duration::from_millis(300);
    let (_link, mut events) = Link::start(options, connector(&stage, Versions::Both)).unwrap();
    for _ in 0..2 {
        let Some(Event::Disconnected { reason, .. }) = events.next().await else { panic!("connected?") };
        assert!(matches!(reason, Disconnect::TooSlow { .. }), "{reason}");
    }
}

#[tokio::test]
async fn the_end_does_not_wait_for_a_handshake_that_never_ends() {
    let stage = registered();
    let tarpit = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut options = options(&stage);
    options.address = Some(tarpit.local_addr().unwrap().to_string());
    let (link, _events) = Link::start(options, connector(&stage, Versions::Both)).unwrap();
    link.publish("t", "").unwrap();
    let _held = tarpit.accept().unwrap();
    let start = Instant::now();
    assert_eq!(link.shutdown(LIMIT).await.unwrap(), 1);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_end_does_not_wait_longer_than_its_limit_for_a_silent_server() {
    let stage = registered();
    let middlebox = Middlebox::new(stage.cloud.mqtt_address());
    let mut options = options(&stage);
    options.address = Some(middlebox.address.to_string());
    let (link, mut events) = Link::start(options, connector(&stage, Versions::Both)).unwrap();
    assert!(matches!(events.next().await, Some(Event::Connected { .. })));
    middlebox.swallows.store(true, Ordering::SeqCst);
    link.publish(&format!("{}/telemetry", stage.thing), "x").unwrap();
    let start = Instant::now();
    assert_eq!(link.shutdown(Duration::from_millis(500)).await.unwrap(), 1);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}
