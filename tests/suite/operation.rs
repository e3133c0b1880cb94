//! The agent in the hands of those who run it: status, systemd's protocol, reload, the check, packages.

mod browser;
mod check;
mod clock;
mod commits;
mod daemon;
mod flood;
mod listener;
mod log;
mod packages;
mod places;
mod reload;
mod status;
mod systemd;

use super::gateway::Cloud;
use super::support::Chip;
use daemon::Daemon;
use iot_core_emulator::Listener;

/// Telemetry every second, and a status on a free port.
const LINES: &str = "[outbox]\nfolder = 'outbox'\n[telemetry]\ninterval_seconds = 1\n[reconnect]\nlongest_seconds = 2\n[status]\nlisten = '127.0.0.1:0'\n";

/// A cloud that knows a chip.
struct Stage {
    cloud: Cloud,
    chip: Chip,
}

impl Stage {
    fn new() -> Self {
        let (cloud, chip) = (Cloud::new(), Chip::new());
        cloud.register(&chip.path("device.pem"));
        Self { cloud, chip }
    }

    /// A daemon with the chip's key and these lines in its configuration.
    fn daemon(&self, lines: &str) -> Daemon {
        Daemon::start(&mut self.command(lines))
    }

    fn command(&self, lines: &str) -> std::process::Command {
        super::gateway::agent(&self.configure(lines))
    }

    /// Writes the configuration.
    fn configure(&self, lines: &str) -> std::path::PathBuf {
        let device = self.chip.device();
        self.cloud.config(Listener::Mqtt, &format!("device = '{device}'\n{lines}"))
    }
}
