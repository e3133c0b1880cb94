//! Places at the agent's listener: who is let in when all are taken, who goes, and who does not come back in a loop.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::Stage;
use super::daemon::{Daemon, LIMIT};
use super::listener::Client;
use crate::support::{free_port, wait_for_socket};

const LINES: &str = "[telemetry]\ninterval_seconds = 86400\n[shadow]\nenabled = false\n";

/// An agent without a cloud.
fn start(stage: &Stage, outbox: &str, port: u16) -> Daemon {
    stage.cloud.core.stop_listening().unwrap();
    let lines = format!(
        "{LINES}[outbox]\nfolder = 'outbox'\n{outbox}\n[local]\nsocket = 'local.sock'\nlisten = '127.0.0.1:{port}'\n"
    );
    let daemon = stage.daemon(&lines);
    wait_for_socket(&stage.cloud.path("local.sock"));
    daemon
}

/// Waits until so many are left.
#[track_caller]
fn left(what: &str, wanted: usize, mut connected: impl FnMut() -> usize) {
    let end = Instant::now() + LIMIT;
    while connected() != wanted {
        assert!(Instant::now() < end, "{what}: {} are left, not {wanted}", connected());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn idle_clients_hold_no_places_and_the_socket_and_the_port_share_them() {
    let stage = Stage::new();
    let port = free_port();
    let mut daemon = start(&stage, "", port);
    let socket = stage.cloud.path("local.sock");
    let mut works = Client::on_socket(&socket, "works").unwrap();
    works.publish(1, b"hello").unwrap();
    works.acknowledged(1).unwrap();
    // Of 32 places; those that come first are in the way.
    let mut idle: Vec<_> =
        (0..50).map(|number| Client::on_socket(&socket, &format!("idle-{number}")).unwrap()).collect();
    let told = daemon.says("more than 32 local clients");
    assert!(told.contains("raise `clients` in [local]"), "{told}");
    left("idle ones", 31, || idle.iter_mut().map(|client| usize::from(client.is_connected())).sum());
    assert!(idle[..19].iter_mut().all(|client| !client.is_connected()), "the oldest go");

    let mut new = Client::on_socket(&socket, "new").unwrap();
    new.publish(2, b"hello").unwrap();
    new.acknowledged(2).unwrap();
    works.publish(3, b"hello").unwrap();
    works.acknowledged(3).unwrap();

    // Whoever comes by the port is another user than this one of the socket: each has its half.
    let mut on_port: Vec<_> =
        (0..40).map(|number| Client::on_port(port, &format!("port-{number}")).unwrap()).collect();
    left("on the port", 16, || on_port.iter_mut().map(|client| usize::from(client.is_connected())).sum());
    left("idle ones", 14, || idle.iter_mut().map(|client| usize::from(client.is_connected())).sum());
    for client in [&mut works, &mut new] {
        client.publish(4, b"hello").unwrap();
        client.acknowledged(4).unwrap();
    }
}

#[test]
fn a_client_whose_messages_find_no_room_does_not_come_back_in_a_tight_loop() {
    const LOOK: Duration = Duration::from_secs(12);
    let stage = Stage::new();
    let mut daemon = start(&stage, "megabytes = 1", free_port());
    let socket = stage.cloud.path("local.sock");
    let payload = vec![b'x'; 100_000];
    // It does what many libraries do: when it is cut it connects at once, and sends what was not acknowledged.
    let (mut taken, mut cuts) = (0, Vec::new());
    let mut end = None;
    while end.is_none_or(|end| Instant::now() < end) {
        let mut client = Client::on_socket(&socket, "full").unwrap();
        loop {
            let id = taken % 200 + 1;
            let result = client.publish(id, &payload).and_then(|()| client.acknowledged(id));
            match result {
                Ok(()) => taken += 1,
                Err(error) => {
                    let kinds = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
                    assert!(kinds.contains(&error.kind()), "{error}");
                    break;
                }
            }
        }
        end.get_or_insert_with(|| Instant::now() + LOOK);
        cuts.push(Instant::now());
    }
    daemon.says("the outbox is full");
    println!("{taken} messages were taken; cut {} times in {LOOK:?} after the first", cuts.len());
    assert!((8..=10).contains(&taken), "{taken} of 100 kB in 1 MiB");
    let gaps: Vec<_> = cuts.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(gaps.iter().all(|gap| *gap >= Duration::from_secs(5)), "{gaps:?}");
}
