//! The agent as a process between keys of all kinds and a cloud.

mod accounts;
mod blinky;
mod faults;
mod just_in_time;
mod keys;
mod mqtt5;
mod outage;
mod provision;
mod proxies;
pub(crate) mod softhsm;
mod tunnel;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use iot_core_emulator::{IotCore, Listener, Options, Status};
use tempfile::TempDir;

use super::support::program;

/// How long one thing may take to happen.
const LIMIT: Duration = Duration::from_secs(30);

/// A cloud, and a folder for the files of its gateways.
pub(super) struct Cloud {
    pub(super) core: IotCore,
    pub(super) folder: TempDir,
}

impl Cloud {
    pub(super) fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let core = IotCore::start(options).unwrap();
        fs::write(folder.path().join("ca.pem"), core.root_certificate_pem()).unwrap();
        let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}}"#;
        core.registry().create_policy("all", policy).unwrap();
        Self { core, folder }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets in whoever has the key of the first certificate in `pem`.
    pub(super) fn register(&self, pem: &Path) {
        let id = self.core.registry().register_certificate(&der(pem), Status::Active).unwrap();
        self.core.registry().attach_policy("all", &id).unwrap();
    }

    /// A configuration for one of the listeners, with `lines` added.
    pub(super) fn config(&self, listener: Listener, lines: &str) -> PathBuf {
        let (port, address) = match listener {
            Listener::Mqtt => (8883, self.core.mqtt_address()),
            Listener::Alpn => (443, self.core.alpn_address()),
        };
        self.config_for(port, &format!("address = '{address}'\n{lines}"))
    }

    /// A configuration without `address`.
    fn config_for(&self, port: u16, lines: &str) -> PathBuf {
        let endpoint = self.core.endpoint();
        let text = format!("endpoint = '{endpoint}'\nport = {port}\nca_file = 'ca.pem'\n{lines}");
        let file = self.path("agent.toml");
        fs::write(&file, text).unwrap();
        file
    }
}

/// The first certificate of a PEM file in DER, by openssl.
pub(super) fn der(pem: &Path) -> Vec<u8> {
    let mut openssl = Command::new("openssl");
    super::support::run(openssl.args(["x509", "-outform", "DER", "-in"]).arg(pem)).succeeded().stdout
}

/// `atecc-agent run` with this configuration, and nothing of this machine's.
pub(super) fn agent(config: &Path) -> Command {
    let mut command = Command::new(program("atecc-agent"));
    command.args(["run", "--config"]).arg(config).env_remove("ATECC_LOG");
    for variable in
        ["ATECC_DEVICE", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"]
    {
        command.env_remove(variable);
    }
    command
}
