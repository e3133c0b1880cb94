//! What the agent tells about its host.

use procfs::Current;
use serde::Serialize;

/// One telemetry message. What the host does not tell is left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Sample {
    /// Counts the messages of this process from 0, so that gaps and repetitions show.
    pub sequence: u64,
    /// Seconds since the host was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<f64>,
    /// Load averages over one, five and fifteen minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<[f64; 3]>,
    /// Memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Room>,
    /// The file system of the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<Room>,
    /// The warmest of the thermal zones, in degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
}

/// Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Room {
    /// All there are.
    pub total_bytes: u64,
    /// What a program could get.
    pub available_bytes: u64,
}

impl Sample {
    /// The state of the host now, from /proc.
    pub fn take(sequence: u64) -> Self {
        let numbers = |file| std::fs::read_to_string(file).ok();
        let uptime_seconds =
            numbers("/proc/uptime").and_then(|text| leading::<1>(&text)).map(|[uptime]| uptime);
        let load = numbers("/proc/loadavg").and_then(|text| leading(&text));
        Self { sequence, uptime_seconds, load, memory: memory(), disk: disk(), temperature: temperature() }
    }

    /// The message.
    pub fn to_json(&self) -> String {
        // Numbers and fixed keys: nothing of it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn memory() -> Option<Room> {
    let memory = procfs::Meminfo::current().ok()?;
    Some(Room { total_bytes: memory.mem_total, available_bytes: memory.mem_available? })
}

fn disk() -> Option<Room> {
    let disk = rustix::fs::statvfs("/").ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    Some(Room { total_bytes: bytes(disk.f_blocks), available_bytes: bytes(disk.f_bavail) })
}

/// Documentation/driver-api/thermal/sysfs-api.rst of Linux: thousandths of a degree.
fn temperature() -> Option<f64> {
    let zones = std::fs::read_dir("/sys/class/thermal").ok()?.filter_map(Result::ok);
    let read =
        |zone: std::fs::DirEntry| std::fs::read_to_string(zone.path().join("temp")).ok()?.trim().parse().ok();
    zones.filter_map(read).max().map(|thousandths: i32| f64::from(thousandths) / 1000.0)
}

/// The first `N` numbers of a text; all of them or nothing.
fn leading<const N: usize>(text: &str) -> Option<[f64; N]> {
    let mut words = text.split_ascii_whitespace().map(str::parse::<f64>);
    let mut numbers = [0.0; N];
    for number in &mut numbers {
        *number = words.next()?.ok().filter(|number| number.is_finite())?;
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_files_are_read() {
        assert_eq!(leading("350735.47 234388.90\n"), Some([350_735.47]));
        assert_eq!(leading("0.20 0.18 0.12 1/80 11206\n"), Some([0.2, 0.18, 0.12]));
        assert_eq!(leading::<3>("0.20 0.18\n"), None);
        assert_eq!(leading::<1>("soon\n"), None);
    }

    #[test]
    fn what_is_unknown_is_left_out() {
        let memory = Some(Room { total_bytes: 8, available_bytes: 4 });
        let load = Some([0.5, 1.0, 2.0]);
        let sample =
            Sample { sequence: 7, uptime_seconds: None, load, memory, disk: None, temperature: None };
        let json = r#"{"sequence":7,"load":[0.5,1.0,2.0],"memory":{"total_bytes":8,"available_bytes":4}}"#;
        assert_eq!(sample.to_json(), json);
    }
}
