//! A clock that is wrong: it is told, with what to do; once it is right the agent goes on by itself.

use std::fs;
use std::process::Command;

use super::daemon::Daemon;
use crate::mosquitto::Broker;
use crate::support::{Chip, run};

/// libfaketime as the program `faketime` loads it.
fn library() -> String {
    let mut faketime = Command::new("faketime");
    faketime.args(["-m", "-f", "+0", "sh", "-c", "printf %s \"$LD_PRELOAD\""]);
    let library = run(&mut faketime).succeeded().text();
    assert!(library.contains("libfaketime"), "{library:?}");
    library
}

#[test]
fn a_wrong_clock_is_told_and_a_right_one_needs_no_restart() {
    let library = library();
    for (wrong, what) in
        [("@2001-02-03 04:05:06", "which is behind"), ("@2050-02-03 04:05:06", "it ended at")]
    {
        let chip = Chip::new();
        let broker = Broker::start(&chip.path("root.pem"));
        let mut agent = broker.agent(chip.folder(), &chip.common_name(), &chip.device());
        let config = chip.path("agent.toml");
        let tables =
            "[shadow]\nenabled = false\n[outbox]\nfolder = 'outbox'\n[reconnect]\nlongest_seconds = 2\n";
        fs::write(&config, fs::read_to_string(&config).unwrap() + tables).unwrap();
        let (time, next) = (chip.path("time"), chip.path("time.next"));
        fs::write(&time, wrong).unwrap();
        agent.env_remove("FAKETIME").env("LD_PRELOAD", &library).env("FAKETIME_TIMESTAMP_FILE", &time);
        // It is read at each call. What measures how long something takes stays as it is, as with a clock that is set.
        agent.envs([("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]);
        agent.env("DONT_FAKE_MONOTONIC", "1");
        let mut daemon = Daemon::start(chip.keep_cache_of(&mut agent));
        let told = daemon.says("is not valid at this time");
        let year = &wrong[1..5];
        assert!(
            told.contains(what) && told.contains(&format!("the clock here says {year}-02-03T")),
            "{told}"
        );
        assert!(told.contains("timedatectl set-ntp true"), "{told}");
        fs::write(&next, "+0").unwrap();
        fs::rename(&next, &time).unwrap();
        daemon.says("connected");
        daemon.signal("TERM");
        assert!(daemon.ended().success(), "{}", daemon.log);
    }
}
