//! The unit under a real systemd: the first process of a Debian 12 in namespaces, where the packages are installed and the
//! agent runs as a service. `tests/systemd/run` boots it, once for all of these tests, and what each step said lies in a
//! folder. The cloud is here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use iot_core_emulator::{Event, Reason};

use super::super::packages::{clean_root, packages};
use crate::gateway::Cloud;
use crate::support::{Chip, Running, repository};

/// Boots and does everything in a minute and a half, most of it waiting.
const GUEST_LIMIT: Duration = Duration::from_secs(270);
/// The agent's unit lets it hang so long, and waits so long before it starts it again.
const WATCHDOG_AND_PAUSE: u64 = 30 + 5;

/// What is left of the guest.
struct Guest {
    folder: PathBuf,
    events: Vec<Event>,
}

static GUEST: LazyLock<Guest> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("systemd");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    let (etc, deb) = (folder.join("etc"), folder.join("packages"));
    fs::create_dir_all(&etc).unwrap();
    fs::create_dir(&deb).unwrap();
    for package in fs::read_dir(packages()).unwrap().map(|entry| entry.unwrap().path()) {
        fs::copy(&package, deb.join(package.file_name().unwrap())).unwrap();
    }
    let (cloud, chip) = (Cloud::new(), Chip::new());
    cloud.register(&chip.path("device.pem"));
    fs::copy(chip.eeprom(), folder.join("chip.eeprom")).unwrap();
    fs::copy(cloud.path("ca.pem"), etc.join("ca.pem")).unwrap();
    let configuration = |topic: &str| {
        format!(
            "endpoint = '{}'\naddress = '{}'\nca_file = 'ca.pem'\n\
             device = 'emulator:unix:/var/lib/atecc-agent/chip/bus.sock'\n[reconnect]\nlongest_seconds = 2\n\
             [telemetry]\ntopic = '{topic}'\ninterval_seconds = 1\n\
             [local]\nsocket = '/run/atecc-agent/mqtt.sock'\n",
            cloud.core.endpoint(),
            cloud.core.mqtt_address()
        )
    };
    fs::write(etc.join("agent.toml"), configuration("telemetry")).unwrap();
    fs::write(etc.join("other-topic.toml"), configuration("other")).unwrap();
    fs::write(etc.join("mistake.toml"), format!("colour = 'red'\n{}", configuration("telemetry"))).unwrap();
    let mut script = Command::new(repository().join("tests/systemd/run"));
    let running = Running::start(script.arg(clean_root()).arg(&folder));
    let over = AtomicBool::new(false);
    let said = thread::scope(|scope| {
        scope.spawn(|| obey(&cloud, &folder.join("no-cloud"), &over));
        let end = EndOf(&over);
        let said = running.finish(GUEST_LIMIT).succeeded();
        drop(end);
        said
    });
    fs::write(folder.join("console"), said.all()).unwrap();
    Guest { events: cloud.core.events().collect(), folder }
});

/// Sets what it holds when it goes, also with a panic.
struct EndOf<'a>(&'a AtomicBool);

impl Drop for EndOf<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Takes the cloud away for as long as a file is there.
fn obey(cloud: &Cloud, file: &Path, over: &AtomicBool) {
    let mut is_away = false;
    while !over.load(Ordering::Relaxed) {
        match (is_away, file.exists()) {
            (false, true) => {
                cloud.core.stop_listening().unwrap();
                cloud.core.disconnect_all();
                is_away = true;
            }
            (true, false) => {
                cloud.core.resume_listening().unwrap();
                is_away = false;
            }
            _ => thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn read(file: &str) -> String {
    let path = GUEST.folder.join(file);
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    String::from_utf8_lossy(&bytes).trim_end().to_owned()
}

/// What the step printed, if it exited with `status`; otherwise the log of the guest, too.
#[track_caller]
fn exited(step: &str, status: i32) -> String {
    let output = read(&format!("{step}.out"));
    let journal = || read("journal.txt");
    assert_eq!(read(&format!("{step}.status")), status.to_string(), "{step}: {output}\n{}", journal());
    output
}

#[track_caller]
fn succeeded(step: &str) -> String {
    exited(step, 0)
}

/// Whether the step's properties of the unit are these.
#[track_caller]
fn assert_properties(step: &str, expected: &[&str]) {
    let properties = succeeded(step);
    for property in expected {
        let is_there = properties.lines().any(|line| line == *property);
        assert!(is_there, "{step}: no {property} in\n{properties}\n{}", read("journal.txt"));
    }
}

/// Topics of what arrived in the cloud, with what arrived.
fn arrived(topic: &str) -> usize {
    let fits =
        |event: &&Event| matches!(event, Event::Published { topic: there, .. } if there.ends_with(topic));
    GUEST.events.iter().filter(fits).count()
}

#[test]
fn the_packages_make_their_users_and_start_nothing() {
    succeeded("install");
    let user = succeeded("user");
    // So that `sudo -u atecc-agent atecc-agent check` may use what the service may.
    for group in ["atecc-agent", "i2c", "dialout", "gpio"] {
        assert!(user.contains(&format!("({group})")), "{user}");
    }
    assert_eq!(exited("not-enabled", 1), "disabled");
    // udev understands its rules.
    let rules = succeeded("rules");
    assert!(rules.contains("/usr/lib/udev/rules.d/70-atecc.rules"), "{rules}");
    assert!(!rules.contains("70-atecc.rules:"), "{rules}");
    succeeded("chip");
    let check = succeeded("check");
    for line in ["ok       signature", "ok       registration", "ok       publish"] {
        assert!(check.contains(line), "{check}");
    }
}

#[test]
fn it_is_active_when_it_is_ready_and_not_before() {
    succeeded("enable");
    let states = read("start.out");
    let states: Vec<&str> = states.lines().collect();
    assert!(states.contains(&"activating held"), "{states:?}");
    assert!(!states.contains(&"active held"), "{states:?}");
    assert_eq!(states.last(), Some(&"active free"), "{states:?}\n{}", read("journal.txt"));
    let expected = [
        "Type=notify",
        "WatchdogUSec=30s",
        "ActiveState=active",
        "SubState=running",
        "NRestarts=0",
        "StatusText=Connected",
    ];
    assert_properties("running", &expected);
}

#[test]
fn it_runs_without_rights_and_has_its_folders() {
    let process = succeeded("process");
    for (name, value) in [
        ("CapPrm", "0000000000000000"),
        ("CapEff", "0000000000000000"),
        ("CapBnd", "0000000000000000"),
        ("NoNewPrivs", "1"),
        ("Seccomp", "2"),
    ] {
        let line = format!("{name}:\t{value}");
        assert!(process.lines().any(|there| there == line), "no {line} in\n{process}");
    }
    assert!(!process.contains("Uid:\t0"), "{process}");
    let folders = succeeded("folders");
    for folder in [
        "/var/lib/atecc-agent atecc-agent:atecc-agent 700",
        "/var/cache/atecc-agent atecc-agent:atecc-agent 700",
        "/run/atecc-agent atecc-agent:atecc-agent 755",
    ] {
        assert!(folders.contains(folder), "{folders}");
    }
    assert!(!succeeded("outbox").is_empty());
    // The kinds of devices that the unit names, and no others, even for root.
    let serial = read("device-ttyS0.out");
    assert!(!serial.contains("Operation not permitted"), "{serial}");
    let memory = read("device-mem.out");
    assert!(memory.contains("Operation not permitted"), "{memory}");
}

#[test]
fn the_manager_that_runs_it_finds_it_closed() {
    let security = succeeded("security");
    let last = security.lines().last().unwrap();
    println!("{last}");
    let level = last.split_whitespace().find_map(|word| word.parse::<f64>().ok()).unwrap();
    assert!(level <= 2.0, "{security}");
}

#[test]
fn a_reload_changes_what_it_may_and_a_mistake_changes_nothing() {
    for step in ["reload", "reload-mistake", "reload-back"] {
        succeeded(step);
    }
    let pid = format!("MainPID={}", read("first-pid"));
    assert_properties("reloaded", &["ActiveState=active", &pid, "NRestarts=0"]);
    assert!(arrived("other") > 0, "{:?}", GUEST.events);
}

#[test]
fn the_watchdog_bites_within_its_limit() {
    assert_properties("after-watchdog", &["ActiveState=active", "NRestarts=1", "StatusText=Connected"]);
    let seconds: u64 = read("watchdog-seconds").parse().unwrap();
    println!("{seconds} s from SIGSTOP to the next start");
    // It was fed within the second before; what is beyond is this machine's own time.
    assert!(seconds >= WATCHDOG_AND_PAUSE - 2, "{seconds}");
    assert!(read("journal.txt").contains("Watchdog timeout (limit 30s)"), "{}", read("journal.txt"));
}

#[test]
fn what_was_taken_before_a_kill_arrives_after_it() {
    succeeded("publish");
    // A connection is not waited for: there was no cloud.
    assert_properties("after-kill", &["ActiveState=active", "NRestarts=2"]);
    assert_properties("connected-after-kill", &["StatusText=Connected"]);
    assert!(arrived("before-the-kill") > 0, "{:?}", GUEST.events);
}

#[test]
fn it_stops_in_good_order() {
    succeeded("publish-at-the-end");
    succeeded("stop");
    let stopped = ["ActiveState=inactive", "Result=success", "ExecMainCode=1", "ExecMainStatus=0"];
    assert_properties("stopped", &stopped);
    assert!(arrived("at-the-end") > 0, "{:?}", GUEST.events);
    let goodbye = |event: &&Event| matches!(event, Event::Disconnected { reason: Reason::Goodbye, .. });
    assert!(GUEST.events.iter().any(|event| goodbye(&event)), "{:?}", GUEST.events);
}

#[test]
fn a_mistake_in_the_configuration_is_not_tried_again() {
    exited("start-mistake", 1);
    let mistake = ["ActiveState=failed", "Result=exit-code", "ExecMainStatus=2", "NRestarts=0"];
    assert_properties("mistake", &mistake);
    succeeded("start-again");
}

#[test]
fn nothing_else_failed() {
    assert_eq!(succeeded("failed"), "");
    assert_eq!(succeeded("system"), "running");
}

#[test]
fn the_journal_has_a_priority_for_each_line_of_the_log() {
    let journal = read("journal.json");
    let mut seen = [false; 8];
    for line in journal.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        if entry["_COMM"] != "atecc-agent" || entry["SYSLOG_IDENTIFIER"] != "atecc-agent" {
            continue;
        }
        let message = entry["MESSAGE"].as_str().unwrap().to_owned();
        let priority: usize = entry["PRIORITY"].as_str().unwrap().parse().unwrap();
        seen[priority] = true;
        // Why it could not start is said beside the log.
        let levels = [(3, "ERROR"), (3, "atecc-agent: "), (4, " WARN"), (6, " INFO")];
        let mut fits = levels.iter().filter(|(number, _)| *number == priority);
        assert!(fits.any(|(_, level)| message.starts_with(level)), "{priority}: {message}");
    }
    // The mistake, the lost cloud, and all that goes well.
    assert!(seen[3] && seen[4] && seen[6], "{journal}");
}

#[test]
fn purging_ends_it_and_takes_all_with_it() {
    succeeded("purge");
    assert_properties("purged", &["ActiveState=inactive"]);
    exited("user-purged", 1);
    let folders = exited("folders-purged", 2);
    assert_eq!(folders.lines().filter(|line| line.contains("No such file")).count(), 4, "{folders}");
}
