//! What systemd is told, by its own protocol (sd_notify(3)); in `guest`, what a real one makes of it.

mod guest;

use std::fs::File;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use super::daemon::LIMIT;
use super::{LINES, Stage};
use crate::support::wait_for_socket;

/// In the place of systemd.
struct Systemd(UnixDatagram);

impl Systemd {
    /// The next message in which `text` stands, and how many others came before.
    #[track_caller]
    fn hears(&self, text: &str) -> (String, usize) {
        let end = Instant::now() + LIMIT;
        let mut others = 0;
        while Instant::now() < end {
            let mut buffer = [0; 4096];
            if let Ok(length) = self.0.recv(&mut buffer) {
                let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if message.contains(text) {
                    return (message, others);
                }
                others += 1;
            }
        }
        panic!("systemd does not hear {text:?}");
    }
}

/// A daemon on a shared bus, whose messages are heard.
fn notified(stage: &Stage, device: &str) -> (super::Daemon, Systemd) {
    let socket = stage.cloud.path("notify.sock");
    let systemd = Systemd(UnixDatagram::bind(&socket).unwrap());
    systemd.0.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut command = stage.command(LINES);
    command.args(["--device", device]).env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "30000000");
    (super::Daemon::start(&mut command), systemd)
}

#[test]
fn ready_status_reload_and_stop_are_told() {
    let stage = Stage::new();
    let (mut daemon, systemd) = notified(&stage, &stage.chip.device());
    systemd.hears("READY=1");
    systemd.hears("STATUS=Connected");
    daemon.signal("HUP");
    let (reloading, _) = systemd.hears("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    systemd.hears("READY=1");
    daemon.says("is the same");
    daemon.signal("TERM");
    systemd.hears("STOPPING=1");
    assert!(daemon.ended().success(), "{}", daemon.log);
}

/// Somebody else holds the bus, so the handshake waits for its signature: no reason for the watchdog to bite.
#[test]
fn the_watchdog_is_fed_while_the_chip_is_busy() {
    let stage = Stage::new();
    let bus = stage.chip.serve();
    wait_for_socket(&bus.socket);
    let (mut daemon, systemd) = notified(&stage, &bus.device());
    systemd.hears("STATUS=Connected");
    let mut lock = bus.socket.clone().into_os_string();
    lock.push(".lock");
    let lock = File::open(&lock).unwrap();
    lock.lock().unwrap();
    stage.cloud.core.disconnect_all();
    daemon.says("not connected");
    for _ in 0..5 {
        systemd.hears("WATCHDOG=1");
    }
    lock.unlock().unwrap();
    systemd.hears("STATUS=Connected");
}
