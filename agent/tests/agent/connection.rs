//! The link: handshakes, acknowledgements, and what a lost connection must not lose.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use atecc_agent::mqtt::{Error, Event as LinkEvent, Link, MAX_PAYLOAD};
use atecc_agent::tls::Versions;
use iot_core_emulator::{Event, Qos, Reason};

use crate::{LIMIT, connector, link, options, registered};

#[tokio::test]
async fn each_version_of_tls_is_signed_by_the_chip_with_one_signature() {
    for (versions, name) in [(Versions::Tls12, "TLSv1_2"), (Versions::Tls13, "TLSv1_3")] {
        let stage = registered();
        let (link, mut events) = Link::start(options(&stage), connector(&stage, versions)).unwrap();
        let Some(LinkEvent::Connected { handshake, refused_filters, .. }) = events.next().await else {
            panic!("{name}: no connection");
        };
        assert_eq!(handshake.version, name);
        assert!(refused_filters.is_empty());
        stage
            .cloud
            .wait_for(LIMIT, |event| matches!(event, Event::TlsAccepted { version, .. } if version == name))
            .unwrap();
        assert_eq!(stage.token.statistics().signatures, 1);
        assert_eq!(link.shutdown(LIMIT).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn every_message_is_acknowledged_and_in_order() {
    let stage = registered();
    let topic = format!("{}/telemetry", stage.thing);
    let seen = stage.cloud.subscribe(&topic).unwrap();
    let link = link(&stage);
    let receipts: Vec<_> = (0..200).map(|n| link.publish(&topic, n.to_string()).unwrap()).collect();
    for receipt in receipts {
        assert_eq!(receipt.acknowledged(LIMIT).await.unwrap().attempts, 1);
    }
    for n in 0..200 {
        assert_eq!(seen.recv_timeout(LIMIT).unwrap().payload, n.to_string());
    }
    assert_eq!(link.shutdown(LIMIT).await.unwrap(), 0);
    stage
        .cloud
        .wait_for(LIMIT, |event| matches!(event, Event::Disconnected { reason: Reason::Goodbye, .. }))
        .unwrap();
}

#[tokio::test]
async fn nothing_is_lost_while_the_connection_is_cut_again_and_again() {
    const MESSAGES: u32 = 600;
    let stage = registered();
    let topic = format!("{}/telemetry", stage.thing);
    let seen = stage.cloud.subscribe(&topic).unwrap();
    let link = link(&stage);
    let mut receipts = Vec::new();
    let mut cuts = 0;
    for n in 0..MESSAGES {
        receipts.push(link.publish(&topic, n.to_string()).unwrap());
        tokio::time::sleep(Duration::from_millis(3)).await;
        if n % 60 == 59 {
            cuts += stage.cloud.disconnect_all();
        }
        if n == MESSAGES / 2 {
            stage.cloud.stop_listening().unwrap();
        } else if n == MESSAGES / 2 + 100 {
            stage.cloud.resume_listening().unwrap();
        }
    }
    let mut attempts = 0;
    for receipt in receipts {
        attempts += receipt.acknowledged(LIMIT).await.unwrap().attempts;
    }
    assert_eq!(link.shutdown(LIMIT).await.unwrap(), 0);
    let mut missing: BTreeSet<String> = (0..MESSAGES).map(|n| n.to_string()).collect();
    while let Ok(message) = seen.recv_timeout(Duration::from_millis(200)) {
        missing.remove(&String::from_utf8(message.payload.to_vec()).unwrap());
    }
    assert!(missing.is_empty(), "lost: {missing:?}");
    assert!(cuts >= 3, "only {cuts} cuts met a connection");
    // Sent again is only what was in flight at a cut.
    assert!(attempts < MESSAGES + 10 * 50, "{attempts} attempts for {MESSAGES} messages");
}

#[tokio::test]
async fn a_subscription_survives_a_reconnect() {
    let stage = registered();
    let filter = format!("{}/commands", stage.thing);
    let mut options = options(&stage);
    options.filters = vec![filter.clone()];
    let connector = connector(&stage, Versions::Both);
    let (_link, mut events) = Link::start(options, connector).unwrap();
    for round in 0_u8..2 {
        while !matches!(events.next().await, Some(LinkEvent::Connected { .. })) {}
        stage.cloud.publish(&filter, [round], Qos::AtLeastOnce).unwrap();
        let Some(LinkEvent::Message(message)) = events.next().await else { panic!("no message") };
        assert_eq!((message.topic.as_str(), &*message.payload), (filter.as_str(), &[round][..]));
        stage.cloud.disconnect_all();
    }
}

#[tokio::test]
async fn what_the_server_would_cut_for_is_not_taken() {
    let stage = registered();
    let link = link(&stage);
    assert!(matches!(link.publish("a/+", ""), Err(Error::Topic { .. })));
    let large = vec![0; MAX_PAYLOAD + 1];
    assert!(matches!(link.publish("a", large), Err(Error::PayloadTooLarge { .. })));
    let largest = link.publish(&format!("{}/x", stage.thing), vec![0; MAX_PAYLOAD]).unwrap();
    largest.acknowledged(LIMIT).await.unwrap();
}

#[tokio::test]
async fn the_queue_is_bounded_and_an_unreachable_server_does_not_hold_up_the_end() {
    let stage = registered();
    stage.cloud.stop_listening().unwrap();
    let mut options = options(&stage);
    options.queue = 3;
    let (link, mut events) = Link::start(options, connector(&stage, Versions::Both)).unwrap();
    let receipts: Vec<_> = (0..3).map(|_| link.publish("t", "").unwrap()).collect();
    assert!(matches!(link.publish("t", ""), Err(Error::QueueFull(3))));
    let Some(LinkEvent::Disconnected { reason, .. }) = events.next().await else { panic!("connected?") };
    assert!(reason.to_string().starts_with("cannot connect to 127.0.0.1:"), "{reason}");
    let start = Instant::now();
    assert_eq!(link.shutdown(LIMIT).await.unwrap(), 3);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    for receipt in receipts {
        assert!(matches!(receipt.acknowledged(LIMIT).await, Err(Error::Stopped)));
    }
}

#[tokio::test]
async fn the_end_waits_for_what_is_on_its_way() {
    let stage = registered();
    let (link, mut events) = Link::start(options(&stage), connector(&stage, Versions::Both)).unwrap();
    while !matches!(events.next().await, Some(LinkEvent::Connected { .. })) {}
    let topic = format!("{}/telemetry", stage.thing);
    for n in 0..300 {
        link.publish(&topic, n.to_string()).unwrap();
    }
    assert_eq!(link.shutdown(LIMIT).await.unwrap(), 0);
}
