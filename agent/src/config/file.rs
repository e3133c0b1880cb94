//! The configuration as it is typed: agent.toml, key by key. A key that is not here is an error.

use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;

use serde::Deserialize;

use super::connection::{LastWill, Mqtt, Tls, Typed as Proxy};
use super::jobs::Typed as Jobs;
use super::lines::{Toggle, Typed as Line};
use super::local::Typed as Local;
use super::outbox::Outbox;
use super::provision::Typed as Provision;
use super::status::Typed as Status;
use super::values::{Address, Device, Endpoint, Key, KeySlot, Template};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) endpoint: Endpoint,
    pub(super) port: Option<NonZeroU16>,
    pub(super) address: Option<Address>,
    pub(super) ca_file: PathBuf,
    pub(super) alpn: Option<String>,
    pub(super) proxy: Option<Proxy>,
    pub(super) proxy_password_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) tls: Tls,
    #[serde(default)]
    pub(super) mqtt: Mqtt,
    pub(super) clean_session: Option<bool>,
    pub(super) last_will: Option<LastWill>,
    pub(super) device: Option<Device>,
    pub(super) slot: Option<KeySlot>,
    pub(super) key: Option<Key>,
    pub(super) certificate_file: Option<PathBuf>,
    pub(super) thing_name: Option<Template>,
    pub(super) client_id: Option<Template>,
    pub(super) keep_alive_seconds: Option<NonZeroU16>,
    #[serde(default)]
    pub(super) reconnect: Reconnect,
    #[serde(default)]
    pub(super) outbox: Outbox,
    #[serde(default)]
    pub(super) local: Local,
    #[serde(default)]
    pub(super) status: Status,
    #[serde(default)]
    pub(super) telemetry: Telemetry,
    #[serde(default)]
    pub(super) commands: Commands,
    #[serde(default)]
    pub(super) shadow: Shadow,
    pub(super) lines: Option<Vec<Line>>,
    #[serde(default)]
    pub(super) jobs: Jobs,
    #[serde(default)]
    pub(super) defender: Defender,
    #[serde(default)]
    pub(super) toggles: Vec<Toggle>,
    pub(super) provision: Option<Provision>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reconnect {
    pub(super) first_seconds: Option<NonZeroU32>,
    pub(super) longest_seconds: Option<NonZeroU32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Telemetry {
    pub(super) topic: Option<Template>,
    pub(super) interval_seconds: Option<NonZeroU32>,
    pub(super) text: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Commands {
    pub(super) topic: Option<Template>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shadow {
    pub(super) enabled: Option<bool>,
    pub(super) name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Defender {
    pub(super) interval_seconds: Option<NonZeroU32>,
}
