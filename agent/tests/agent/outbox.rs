//! The outbox: what it has taken is there until the server has it, whatever happens.

use std::path::Path;
use std::time::Duration;

use atecc_agent::mqtt::Link;
use atecc_agent::outbox::{Notice, Options, Outbox, Refusal, Sync, WhenFull, quarantined};
use atecc_agent::tls::Versions;

use crate::{LIMIT, connector, options, registered};

fn in_folder(folder: &Path) -> Options {
    Options::in_folder(folder)
}

async fn fill(outbox: &Outbox, topic: &str, numbers: std::ops::Range<u32>) {
    for number in numbers {
        outbox.offer(topic, number.to_string()).await.unwrap().committed().await.unwrap();
    }
}

#[tokio::test]
async fn a_backlog_of_another_process_is_sent_first_and_in_order() {
    let stage = registered();
    let folder = tempfile::tempdir().unwrap();
    let topic = format!("{}/telemetry", stage.thing);
    let seen = stage.cloud.subscribe(&topic).unwrap();
    let mut setup = in_folder(folder.path());
    for (round, sync) in
        [Sync::Each, Sync::Group(Duration::from_millis(1)), Sync::default()].into_iter().enumerate()
    {
        setup.sync = sync;
        let (outbox, _feed, _notices) = Outbox::open(setup.clone()).unwrap();
        let first = u32::try_from(round * 200).unwrap();
        let offers: Vec<_> = (first..first + 200).collect();
        let mut commits = Vec::new();
        for number in offers {
            commits.push(outbox.offer(&topic, number.to_string()).await.unwrap());
        }
        for commit in commits {
            commit.committed().await.unwrap();
        }
        outbox.close(LIMIT).await.unwrap();
    }
    let (outbox, feed, _notices) = Outbox::open(setup).unwrap();
    assert_eq!(outbox.status().messages, 600);
    let connector = connector(&stage, Versions::Both);
    let (link, _events) = Link::start_with(options(&stage), connector, Some(feed)).unwrap();
    let newest = outbox.publish(&topic, "600").await.unwrap();
    newest.acknowledged(LIMIT).await.unwrap();
    for number in 0..=600 {
        assert_eq!(seen.recv_timeout(LIMIT).unwrap().payload, number.to_string());
    }
    assert_eq!(link.shutdown(LIMIT).await.unwrap(), 0);
    outbox.close(LIMIT).await.unwrap();
    let (outbox, _feed, _notices) = Outbox::open(in_folder(folder.path())).unwrap();
    assert_eq!(outbox.status(), Default::default(), "what the server has is gone");
}

#[tokio::test]
async fn a_message_that_the_server_cuts_for_goes_to_quarantine_and_holds_nothing_up() {
    let stage = registered();
    let folder = tempfile::tempdir().unwrap();
    let topic = format!("{}/telemetry", stage.thing);
    let seen = stage.cloud.subscribe(&topic).unwrap();
    let (outbox, feed, mut notices) = Outbox::open(in_folder(folder.path())).unwrap();
    fill(&outbox, &topic, 0..3).await;
    // The stage's policy lets the gateway publish below its own name only.
    fill(&outbox, "somebody/else", 0..1).await;
    fill(&outbox, &topic, 3..6).await;
    let connector = connector(&stage, Versions::Both);
    let (_link, _events) = Link::start_with(options(&stage), connector, Some(feed)).unwrap();
    let mut arrived = std::collections::BTreeSet::new();
    while arrived.len() < 6 {
        arrived.insert(seen.recv_timeout(LIMIT).unwrap().payload);
    }
    let Notice::Quarantined(message) = notices.next().await else { panic!("no quarantine") };
    assert_eq!(message.topic, "somebody/else");
    let listed = quarantined(folder.path()).unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].problem.contains("policy"), "{:?}", listed[0]);
    assert!(std::fs::read(listed[0].file.as_ref().unwrap()).unwrap().ends_with(b"\n0"));
}

#[tokio::test]
async fn what_aws_would_cut_for_is_not_even_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (outbox, _feed, _notices) = Outbox::open(in_folder(folder.path())).unwrap();
    for (topic, bytes) in [("a/b/c/d/e/f/g/h/i", 1), ("a/#", 1), ("a", 128 * 1024 + 1)] {
        let refused = outbox.offer(topic, vec![0; bytes]).await.unwrap().committed().await;
        assert!(matches!(refused, Err(Refusal::Quarantined(_))), "{refused:?}");
    }
    assert_eq!(quarantined(folder.path()).unwrap().len(), 3);
    assert_eq!(outbox.status().messages, 0);
}

#[tokio::test]
async fn a_full_outbox_refuses_or_drops_the_oldest_as_configured() {
    let payload = vec![0; 10_000];
    for when_full in [WhenFull::Refuse, WhenFull::DropOldest] {
        let folder = tempfile::tempdir().unwrap();
        let mut setup = in_folder(folder.path());
        (setup.most_bytes, setup.when_full) = (5_000_000, when_full);
        let (outbox, _feed, mut notices) = Outbox::open(setup).unwrap();
        let mut refused = 0;
        for _ in 0..600 {
            match outbox.offer("t", payload.clone()).await.unwrap().committed().await {
                Ok(_) => {}
                Err(Refusal::Full { most_bytes: 5_000_000 }) => refused += 1,
                Err(other) => panic!("{other}"),
            }
        }
        let status = outbox.status();
        assert!(status.bytes <= 5_000_000 && status.messages > 480, "{status:?}");
        match (when_full, notices.next().await) {
            (WhenFull::Refuse, Notice::Refusing { .. }) => assert_eq!(refused + status.messages, 600),
            (WhenFull::DropOldest, Notice::Dropped { messages, .. }) => assert!(messages > 0 && refused == 0),
            (_, other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_damaged_database_is_told_and_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("outbox.redb");
    let whole = {
        let (outbox, _feed, _notices) = Outbox::open(in_folder(folder.path())).unwrap();
        fill(&outbox, "topic", 0..100).await;
        outbox.close(LIMIT).await.unwrap();
        std::fs::read(&file).unwrap()
    };
    let needle = whole.windows(5).rposition(|bytes| bytes == b"topic").unwrap();
    let mut flipped = whole.clone();
    flipped[needle] ^= 1;
    let damages = [
        ("cut short", whole[..whole.len() / 2].to_vec()),
        ("not a database", b"I am a text".repeat(1000)),
        ("a bit flipped", flipped),
        ("a hole", [&whole[..4096], &vec![0; whole.len() - 4096][..]].concat()),
    ];
    for (what, bytes) in damages {
        std::fs::write(&file, &bytes).unwrap();
        let (outbox, _feed, mut notices) = Outbox::open(in_folder(folder.path())).unwrap();
        let Notice::SetAside { file: aside, .. } = notices.next().await else { panic!("{what}: not told") };
        // Opening may have marked the file as open before it saw the damage.
        assert_eq!(std::fs::read(&aside).unwrap().len(), bytes.len(), "{what}");
        fill(&outbox, "topic", 0..1).await;
        outbox.close(LIMIT).await.unwrap();
    }
}

#[tokio::test]
async fn two_agents_do_not_share_an_outbox() {
    let folder = tempfile::tempdir().unwrap();
    let (_outbox, _feed, _notices) = Outbox::open(in_folder(folder.path())).unwrap();
    let error = Outbox::open(in_folder(folder.path())).unwrap_err().to_string();
    assert!(error.contains("another process") && error.contains("outbox.redb"), "{error}");
}

#[tokio::test]
async fn what_has_waited_too_long_is_given_up_without_a_connection() {
    let folder = tempfile::tempdir().unwrap();
    let mut setup = in_folder(folder.path());
    setup.longest_wait = Some(Duration::from_millis(400));
    let (outbox, _feed, mut notices) = Outbox::open(setup).unwrap();
    // More than is held in memory.
    let mut commits = Vec::new();
    for number in 0..600 {
        commits.push(outbox.offer("topic", number.to_string()).await.unwrap());
    }
    for commit in commits {
        commit.committed().await.unwrap();
    }
    let mut dropped = 0;
    while dropped < 600 {
        match tokio::time::timeout(LIMIT, notices.next()).await.unwrap() {
            Notice::Dropped { messages, reason } => {
                assert!(reason.contains("hours"), "{reason}");
                dropped += messages;
            }
            other => panic!("{other:?}"),
        }
    }
    outbox.clone().close(LIMIT).await.unwrap();
    assert_eq!((dropped, outbox.status().messages), (600, 0));
}

#[tokio::test]
async fn what_a_newer_version_wrote_goes_to_quarantine_and_holds_nothing_up() {
    let stage = registered();
    let folder = tempfile::tempdir().unwrap();
    let topic = format!("{}/telemetry", stage.thing);
    let seen = stage.cloud.subscribe(&topic).unwrap();
    let (outbox, _feed, _notices) = Outbox::open(in_folder(folder.path())).unwrap();
    fill(&outbox, &topic, 0..3).await;
    outbox.close(LIMIT).await.unwrap();
    {
        let database = redb::Database::open(folder.path().join("outbox.redb")).unwrap();
        let transaction = database.begin_write().unwrap();
        {
            let definition = redb::TableDefinition::<u64, &[u8]>::new("messages");
            let mut table = transaction.open_table(definition).unwrap();
            let (second, mut bytes) = {
                let entry = redb::ReadableTable::iter(&table).unwrap().nth(1).unwrap().unwrap();
                (entry.0.value(), entry.1.value().to_vec())
            };
            bytes[0] = 99;
            table.insert(second, bytes.as_slice()).unwrap();
        }
        transaction.commit().unwrap();
    }
    let (outbox, feed, mut notices) = Outbox::open(in_folder(folder.path())).unwrap();
    let (_link, _events) =
        Link::start_with(options(&stage), connector(&stage, Versions::Both), Some(feed)).unwrap();
    for number in [0, 2] {
        assert_eq!(seen.recv_timeout(LIMIT).unwrap().payload, number.to_string());
    }
    let Notice::Quarantined(message) = notices.next().await else { panic!("no quarantine") };
    assert!(message.problem.contains("newer"), "{message:?}");
    assert!(std::fs::read(message.file.unwrap()).unwrap().ends_with(b"telemetry1"));
    outbox.close(LIMIT).await.unwrap();
}

#[tokio::test]
async fn the_file_of_a_backlog_that_is_gone_is_small_again() {
    const LARGE: u64 = 4 << 20;
    let stage = registered();
    let folder = tempfile::tempdir().unwrap();
    let topic = format!("{}/telemetry", stage.thing);
    let length = || std::fs::metadata(folder.path().join("outbox.redb")).unwrap().len();
    let (outbox, feed, _notices) = Outbox::open(in_folder(folder.path())).unwrap();
    for _ in 0..100 {
        outbox.offer(&topic, vec![7; 100_000]).await.unwrap().committed().await.unwrap();
    }
    assert!(length() > 2 * LARGE, "{}", length());
    let (link, _events) =
        Link::start_with(options(&stage), connector(&stage, Versions::Both), Some(feed)).unwrap();
    outbox.publish(&topic, "last").await.unwrap().acknowledged(LIMIT).await.unwrap();
    link.shutdown(LIMIT).await.unwrap();
    outbox.clone().close(LIMIT).await.unwrap();
    assert_eq!(outbox.status().messages, 0);
    assert!(length() <= LARGE, "{}", length());
}
