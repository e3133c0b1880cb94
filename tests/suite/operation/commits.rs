//! The acknowledgement of a message leaves after its commit is on disk: what the kernel was asked, in its order.

use std::process::Command;
use std::time::{Duration, Instant};

use super::Stage;
use super::daemon::{Daemon, LIMIT};
use super::listener::Client;
use crate::support::wait_for_socket;

const MESSAGES: u8 = 10;

#[test]
fn each_commit_ends_in_an_fsync_before_the_acknowledgement_is_written() {
    for sync in ["'each'", "'group'"] {
        let stage = Stage::new();
        // Without a cloud nothing leaves the outbox, and every commit is one of a message that came in.
        stage.cloud.core.stop_listening().unwrap();
        let lines = format!(
            "[telemetry]\ninterval_seconds = 86400\n[shadow]\nenabled = false\n[outbox]\nfolder = 'outbox'\nsync = {sync}\n[local]\nsocket = 'local.sock'\n"
        );
        let agent = stage.command(&lines);
        let calls = stage.cloud.path("calls");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-xx", "-y", "-s", "256", "-e"]);
        strace.arg("trace=fsync,fdatasync,read,recvfrom,readv,recvmsg,write,sendto,writev,sendmsg");
        strace.arg("-o").arg(&calls);
        // The agent must not outlive strace.
        strace.args(["setpriv", "--pdeathsig", "KILL"]).arg(agent.get_program()).args(agent.get_args());
        for (name, value) in agent.get_envs() {
            match value {
                Some(value) => strace.env(name, value),
                None => strace.env_remove(name),
            };
        }
        let daemon = Daemon::start(&mut strace);
        let socket = stage.cloud.path("local.sock");
        wait_for_socket(&socket);
        let mut client = Client::on_socket(&socket, "client").unwrap();
        for id in 1..=MESSAGES {
            client.publish(id, payload(id).as_bytes()).unwrap();
            client.acknowledged(id).unwrap();
        }
        // Its file is complete when it has ended; and it ends with the agent.
        let end = Instant::now() + LIMIT;
        let written = loop {
            let written = std::fs::read_to_string(&calls).unwrap();
            if written.contains(&hex(&[0x40, 2, 0, MESSAGES])) {
                break written;
            }
            assert!(Instant::now() < end, "no write of the last PUBACK:\n{written}");
            std::thread::sleep(Duration::from_millis(50));
        };
        drop(daemon);
        in_order(&written);
    }
}

fn payload(id: u8) -> String {
    format!("message number {id}")
}

/// Bytes as `strace -xx` writes them.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

/// For each message: it was read, a flush of the database began after that and succeeded, and then its PUBACK was written.
#[track_caller]
fn in_order(calls: &str) {
    let (mut lines, database) = (calls.lines(), hex(b"outbox.redb"));
    for id in 1..=MESSAGES {
        let (message, puback) = (hex(payload(id).as_bytes()), hex(&[0x40, 2, 0, id]));
        let message = format!("{message}\"");
        assert!(lines.any(|line| line.contains(&message)), "{id}: it was not read\n{calls}");
        let (mut begun, mut flushed, mut acknowledged) = (false, 0, false);
        for line in lines.by_ref() {
            let is_flush = line.contains("fsync(") || line.contains("fdatasync(");
            begun |= is_flush && line.contains(&database);
            let has_ended = (is_flush || line.contains("sync resumed>")) && line.ends_with("= 0");
            flushed += u32::from(begun && has_ended);
            let writes = ["write(", "sendto(", "writev(", "sendmsg("];
            if line.contains(&puback) && writes.iter().any(|write| line.contains(write)) {
                acknowledged = true;
                break;
            }
        }
        assert!(acknowledged, "{id}: no PUBACK\n{calls}");
        assert!(flushed > 0, "{id}: PUBACK without a flush before it\n{calls}");
    }
}
