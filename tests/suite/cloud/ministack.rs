//! ministack: the control API of AWS IoT Core, and an MQTT broker with mutual TLS behind the same registry.

use std::{
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
};

use super::{double::Double, network::Network};
use crate::support::{free_port, run};

/// Whether the policies attached to a certificate decide what its device may do. Without them everyone may do
/// everything, and a client without a certificate is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policies {
    Enforced,
    Ignored,
}

/// ministack, while it runs.
#[derive(Debug)]
pub(crate) struct Ministack {
    double: Double,
    mqtt_port: u16,
    authority: PathBuf,
}

impl Ministack {
    #[track_caller]
    pub(crate) fn start(policies: Policies) -> Self {
        let (port, mqtt_port) = (free_port(), free_port());
        let double = Double::start(Network::apart(), "ministack", port, |command| {
            command.env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", port.to_string());
            command.env("IOT_MTLS_PORT", mqtt_port.to_string());
            command.env("AUTH", if policies == Policies::Enforced { "true" } else { "false" });
            command.env("SERVICES", "iot,iot-data,iot-jobs-data,iam,sts").env("SFTP_ENABLED", "0");
        });
        let double = double.wait_until_it_answers("/_ministack/health");
        let authority = double.folder().join("server-ca.pem");
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--fail", "--max-time", "30", "--output"]).arg(&authority);
        run(&mut double.inside(curl.arg(format!("{}/_ministack/iot/ca.pem", double.url())))).succeeded();
        Self { double, mqtt_port, authority }
    }

    /// Where it speaks MQTT over TLS: host and port.
    pub(crate) fn mqtt_address(&self) -> String {
        format!("127.0.0.1:{}", self.mqtt_port)
    }

    /// The CA certificate, in PEM, that its broker's certificate is signed with.
    pub(crate) fn authority(&self) -> &Path {
        &self.authority
    }
}

impl Deref for Ministack {
    type Target = Double;

    fn deref(&self) -> &Double {
        &self.double
    }
}
