//! The machine: its clock, its disk, its ports, and whether an agent is running already.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{Access, AtFlags, CWD, accessat, statfs, statvfs};

use super::finding::{Finding, Findings};
use crate::config::Config;
use crate::outbox;
use crate::socket;

/// When this program did not exist yet: 2026-01-01, as seconds since 1970.
const BEFORE: u64 = 1_767_225_600;
/// Where systemd-timesyncd notes that it has set the clock (systemd-timesyncd.service(8)).
const TIMESYNC: &str = "/run/systemd/timesync";
/// Free bytes below which an outbox takes nothing (its commits need room beside what is there).
const LEAST_FREE: u64 = 16 << 20;
/// `f_type` of a file system in memory (statfs(2)).
const TMPFS: u32 = 0x0102_1994;

/// Whether an agent holds this outbox.
pub(super) fn running(config: &Config) -> bool {
    let Some(folder) = &config.outbox.folder else { return false };
    // The lock of the database, taken for a moment.
    File::open(folder.join(outbox::FILE))
        .is_ok_and(|file| matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
}

pub(super) fn examine(config: &Config, running: bool, findings: &mut Findings<impl FnMut(&Finding)>) {
    clock(SystemTime::now(), Path::new(TIMESYNC), findings);
    match &config.outbox.folder {
        Some(folder) => disk(config, folder, findings),
        None => findings.warning(
            "outbox",
            "messages wait in memory, and are lost with the process",
            "name a `folder` in [outbox]",
        ),
    }
    if !running {
        ports(config, findings);
    }
}

fn clock(now: SystemTime, timesync: &Path, findings: &mut Findings<impl FnMut(&Finding)>) {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    if since < Duration::from_secs(BEFORE) {
        findings.wrong(
            "clock",
            "the clock of this machine is set to a time when this program did not exist yet",
            "set it: timedatectl set-ntp true, or date -s",
        );
    } else if timesync.is_dir() && !timesync.join("synchronized").exists() {
        findings.warning(
            "clock",
            "systemd-timesyncd has not set the clock since the machine was started",
            "look at timedatectl timesync-status; certificates are judged by this clock",
        );
    } else {
        findings.ok("clock", "later than this program");
    }
}

fn disk(config: &Config, folder: &Path, findings: &mut Findings<impl FnMut(&Finding)>) {
    let place = existing(folder);
    let shown = folder.display();
    if !place.is_dir() {
        return findings.wrong(
            "outbox",
            format!("{} is no folder", place.display()),
            "name another `folder` in [outbox]",
        );
    }
    if accessat(CWD, &place, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_err() {
        return findings.wrong(
            "outbox",
            format!("this user may not write to {}", place.display()),
            "run the check as the user of the agent (sudo -u atecc-agent), or give it the folder",
        );
    }
    if statfs(&place).is_ok_and(|system| u32::try_from(system.f_type) == Ok(TMPFS)) {
        findings.warning(
            "outbox",
            format!("{shown} is in memory: what waits there is lost with the power"),
            "name a `folder` on a disk in [outbox]",
        );
    }
    match statvfs(&place) {
        Err(error) => {
            findings.wrong("disk", format!("{shown}: {error}"), "name another `folder` in [outbox]")
        }
        Ok(system) => {
            let free = system.f_bavail.saturating_mul(system.f_frsize);
            let taken = std::fs::metadata(folder.join(outbox::FILE)).map_or(0, |file| file.len());
            // The file grows up to twice of what may wait.
            let wanted =
                (2 * config.outbox.most_bytes + config.outbox.quarantine_bytes).saturating_sub(taken);
            let found = format!("{} MiB free for {shown}", free >> 20);
            if free < LEAST_FREE {
                findings.wrong("disk", found, "make room: below this no message is taken");
            } else if free < wanted {
                let fix = format!("make room for {} MiB, or lower `megabytes` in [outbox]", wanted >> 20);
                findings.warning("disk", found, fix);
            } else {
                findings.ok("disk", found);
            }
        }
    }
    match outbox::quarantined(folder) {
        Ok(list) => {
            if let Some(last) = list.last() {
                findings.warning(
                    "quarantine",
                    format!(
                        "{} messages are put aside, the last for {}: {}",
                        list.len(),
                        last.topic,
                        last.problem
                    ),
                    format!("correct what is wrong with them, and delete them from {shown}/quarantine"),
                );
            }
        }
        Err(error) => {
            findings.wrong(
                "quarantine",
                format!("{shown}: {error}"),
                "give the folder to the user of the agent",
            );
        }
    }
}

fn ports(config: &Config, findings: &mut Findings<impl FnMut(&Finding)>) {
    for (section, address) in [("local", config.local.listen), ("status", config.status.listen)] {
        let Some(address) = address else { continue };
        match socket::bind_loopback(address) {
            Ok(_) => findings.ok("port", format!("{address} is free for [{section}]")),
            Err(error) => findings.wrong(
                "port",
                format!("nobody can listen on {address}: {error}"),
                format!("choose another port for `listen` in [{section}], or stop who has it (ss -ltnp)"),
            ),
        }
    }
}

/// The folder, or that above it which will have to hold it.
fn existing(folder: &Path) -> PathBuf {
    folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_clock_that_was_never_set_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let none = folder.path().join("none");
        let state = |now, timesync: &Path| {
            let mut findings = Findings::new(|_: &Finding| {});
            clock(now, timesync, &mut findings);
            findings.list[0].state
        };
        assert_eq!(state(SystemTime::UNIX_EPOCH + Duration::from_secs(5), &none), State::Wrong);
        assert_eq!(state(SystemTime::now(), folder.path()), State::Warning);
        std::fs::write(folder.path().join("synchronized"), "").unwrap();
        assert_eq!(state(SystemTime::now(), folder.path()), State::Ok);
        assert_eq!(state(SystemTime::now(), &none), State::Ok);
    }
}
