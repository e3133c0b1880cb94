//! Connections that come to an end, again and again: what the server keeps, what is lost, and who is to blame.

use std::collections::BTreeSet;
use std::time::Duration;

use atecc_agent::mqtt::{Disconnect, Event as LinkEvent, Events, LastWill, Link};
use atecc_agent::outbox::{Options as Setup, Outbox};
use atecc_agent::tls::Versions;
use iot_core_emulator::{Event, Qos};

use crate::{LIMIT, connector, options, registered};

/// Waits for the next connection; gives whether the server went on with a session.
async fn connected(events: &mut Events) -> bool {
    let wait = async {
        loop {
            match events.next().await {
                Some(LinkEvent::Connected { session_present, .. }) => return session_present,
                Some(_) => {}
                None => panic!("the link has ended"),
            }
        }
    };
    tokio::time::timeout(LIMIT, wait).await.unwrap()
}

/// A day in which the server ends the session every hour. The hours are shortened to what happens in them: messages, and the end.
#[tokio::test]
async fn a_day_of_hourly_session_losses_loses_nothing_and_costs_a_signature_each() {
    const HOURS: u32 = 24;
    const MESSAGES_AN_HOUR: u32 = 25;
    let stage = registered();
    let topic = format!("{}/telemetry", stage.thing);
    let seen = stage.cloud.subscribe(&topic).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (outbox, feed, _notices) = Outbox::open(Setup::in_folder(folder.path())).unwrap();
    let (link, mut events) =
        Link::start_with(options(&stage), connector(&stage, Versions::Both), Some(feed)).unwrap();
    for hour in 0..HOURS {
        connected(&mut events).await;
        let mut commits = Vec::new();
        for minute in 0..MESSAGES_AN_HOUR {
            let number = hour * MESSAGES_AN_HOUR + minute;
            commits.push(outbox.offer(&topic, number.to_string()).await.unwrap());
            if minute == MESSAGES_AN_HOUR / 2 {
                assert_eq!(stage.cloud.disconnect_all(), 1, "in hour {hour}");
            }
        }
        for commit in commits {
            commit.committed().await.unwrap();
        }
    }
    connected(&mut events).await;
    let last = outbox.publish(&topic, (HOURS * MESSAGES_AN_HOUR).to_string()).await.unwrap();
    last.acknowledged(LIMIT).await.unwrap();
    assert_eq!(link.shutdown(LIMIT).await.unwrap(), 0);
    let mut missing: BTreeSet<String> = (0..=HOURS * MESSAGES_AN_HOUR).map(|n| n.to_string()).collect();
    while let Ok(message) = seen.recv_timeout(Duration::from_millis(200)) {
        missing.remove(&String::from_utf8(message.payload.to_vec()).unwrap());
    }
    assert!(missing.is_empty(), "lost: {missing:?}");
    let mut history = stage.cloud.events();
    let mut handshakes = 0;
    while let Ok(event) = history.wait_for(Duration::ZERO, |_| true) {
        handshakes += u64::from(matches!(event, Event::TlsAccepted { .. }));
    }
    assert_eq!(handshakes, u64::from(HOURS) + 1);
    assert_eq!(stage.token.statistics().signatures, handshakes, "one connection is one signature");
}

#[tokio::test]
async fn a_rival_with_the_same_client_id_is_told_by_both() {
    let stage = registered();
    let (_one, mut of_one) = Link::start(options(&stage), connector(&stage, Versions::Both)).unwrap();
    let (_two, mut of_two) = Link::start(options(&stage), connector(&stage, Versions::Both)).unwrap();
    for events in [&mut of_one, &mut of_two] {
        let told = async {
            loop {
                if let Some(LinkEvent::Disconnected {
                    reason: reason @ Disconnect::TakenOver { .. }, ..
                }) = events.next().await
                {
                    return reason.to_string();
                }
            }
        };
        let told = tokio::time::timeout(LIMIT, told).await.unwrap();
        assert!(told.contains("client id") && told.contains("3 times"), "{told}");
    }
}

#[tokio::test]
async fn a_session_that_is_kept_brings_what_came_meanwhile() {
    let stage = registered();
    let filter = format!("{}/commands", stage.thing);
    let mut options = options(&stage);
    options.filters = vec![filter.clone()];
    for clean_session in [true, false] {
        options.clean_session = clean_session;
        let link = || Link::start(options.clone(), connector(&stage, Versions::Both)).unwrap();
        let (first, mut events) = link();
        assert!(!connected(&mut events).await);
        first.shutdown(LIMIT).await.unwrap();
        stage.cloud.wait_for(LIMIT, |event| matches!(event, Event::Disconnected { .. })).unwrap();
        for number in 0_u8..3 {
            stage.cloud.publish(&filter, [number], Qos::AtLeastOnce).unwrap();
        }
        let (second, mut events) = link();
        let mut came = Vec::new();
        let mut resumed = None;
        while resumed.is_none() || (!clean_session && came.len() < 3) {
            match tokio::time::timeout(LIMIT, events.next()).await.unwrap().unwrap() {
                LinkEvent::Connected { session_present, .. } => resumed = Some(session_present),
                LinkEvent::Message(message) => came.extend(message.payload),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(resumed, Some(!clean_session));
        assert_eq!(came, if clean_session { vec![] } else { vec![0, 1, 2] });
        second.shutdown(LIMIT).await.unwrap();
    }
}

#[tokio::test]
async fn the_last_will_is_published_for_one_that_is_lost_and_not_for_one_that_left() {
    let stage = registered();
    let topic = format!("{}/status", stage.thing);
    let seen = stage.cloud.subscribe(&topic).unwrap();
    let mut options = options(&stage);
    options.last_will = Some(LastWill { topic, message: b"lost".to_vec(), retain: false });
    let (link, mut events) = Link::start(options.clone(), connector(&stage, Versions::Both)).unwrap();
    connected(&mut events).await;
    link.shutdown(LIMIT).await.unwrap();
    assert!(seen.recv_timeout(Duration::from_millis(500)).is_err());
    let (link, mut events) = Link::start(options, connector(&stage, Versions::Both)).unwrap();
    connected(&mut events).await;
    stage.cloud.disconnect_all();
    assert_eq!(seen.recv_timeout(LIMIT).unwrap().payload, "lost");
    connected(&mut events).await;
    link.shutdown(LIMIT).await.unwrap();
}
