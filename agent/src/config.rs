//! agent.toml: what is typed there, and what it means. `agent.example.toml` describes every key.

mod connection;
mod error;
mod file;
mod jobs;
mod lines;
mod link;
mod local;
mod names;
mod outbox;
mod provision;
mod status;
#[cfg(test)]
mod tests;
mod values;

use std::path::{Path, PathBuf};
use std::time::Duration;

use atecc::Slot;
use identity::KeySource;

use crate::dial::{Destination, Proxy};
use crate::mqtt::{Reconnect, Version};
use crate::outbox::Options as Outbox;
use crate::tls::{ALPN_AWS_MQTT, Versions};

pub use connection::LastWill;
pub use error::Error;
pub use jobs::{Command, Jobs};
pub use lines::{Line, Pin, Toggle, Which};
pub use local::Local;
pub use names::{Names, Subject};
pub use provision::{Access, Claim, Fleet, Format, KeyOrigin, Krypton, Provision, Way};
pub use status::Status;
pub use values::Template;

/// AWS IoT Device Defender refuses reports that come more often (developer guide, page "Sending metrics from devices").
const SHORTEST_DEFENDER_INTERVAL: Duration = Duration::from_secs(300);

/// The configuration as it is meant: every default filled in, paths resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The server's host name: SNI, and the name in its certificate.
    pub endpoint: String,
    /// Its port.
    pub port: u16,
    /// `host:port` to dial instead of the endpoint.
    pub address: Option<String>,
    /// PEM file with the CA certificates that the server's certificate must lead to.
    pub ca_file: PathBuf,
    /// The ALPN protocol to offer.
    pub alpn: Option<String>,
    /// The proxy to dial through.
    pub proxy: Option<Proxy>,
    /// Which versions of TLS may be agreed on.
    pub tls: Versions,
    /// The version of the protocol.
    pub mqtt: Version,
    /// Whether the server forgets subscriptions, and what comes for them, between connections.
    pub clean_session: bool,
    /// What the server publishes if the agent is lost.
    pub last_will: Option<LastWill>,
    /// The chip, as a device specification of atecc-token.
    pub device: Option<String>,
    /// The slot of the key in that chip; `None`: that of its primary key.
    pub slot: Option<Slot>,
    /// Where the key is; `None`: in the chip of `device`.
    pub key: Option<KeySource>,
    /// PEM file with the certificate to show, for that key, and those above it; without it, what the chip or the token
    /// stores, or the file of the key.
    pub certificate_file: Option<PathBuf>,
    /// The thing in the registry.
    pub thing_name: Template,
    /// The MQTT client id.
    pub client_id: Template,
    /// Seconds without traffic until the link asks whether the server is still there.
    pub keep_alive_seconds: u16,
    /// Waits between attempts to connect.
    pub reconnect: Reconnect,
    /// Where messages wait for the server.
    pub outbox: Outbox,
    /// The listener for programs on this machine.
    pub local: Local,
    /// Where the agent tells how it is.
    pub status: Status,
    /// Telemetry.
    pub telemetry: Telemetry,
    /// Commands.
    pub commands: Commands,
    /// The device shadow.
    pub shadow: Shadow,
    /// What is switched and watched.
    pub lines: Vec<Line>,
    /// Topics that switch.
    pub toggles: Vec<Toggle>,
    /// How a gateway without a certificate gets one.
    pub provision: Option<Provision>,
    /// What jobs may do.
    pub jobs: Jobs,
    /// How often Device Defender gets a report; `None`: it gets none.
    pub defender: Option<Duration>,
}

/// What is sent by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Telemetry {
    /// Where to.
    pub topic: Template,
    /// How often.
    pub interval: Duration,
    /// The message, in which `{sequence}` is its number from 0; `None`: the state of the host, as JSON.
    pub text: Option<Template>,
}

/// What is listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commands {
    /// The topic filter.
    pub topic: Template,
}

/// The device shadow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shadow {
    /// Off for servers that have none; a policy that forbids the shadow's topics makes AWS cut the connection.
    pub enabled: bool,
}

impl Config {
    /// Reads agent.toml.
    ///
    /// # Errors
    /// When it cannot be read, or a line is wrong.
    pub fn load(file: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file)
            .map_err(|source| Error::Unreadable { file: file.to_owned(), source })?;
        Self::parse(&text, file)
    }

    /// Understands the text of agent.toml. Relative paths in it start at the folder of `file`, which is also
    /// named in errors.
    ///
    /// # Errors
    /// When a line is wrong.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Error> {
        let typed: file::File = toml::from_str(text).map_err(|error| invalid(&error, text, file))?;
        if typed.key.is_some() && typed.device.is_some() {
            let problem = "`device` and `key` both say where the key is; one of them is enough".to_owned();
            return Err(Error::Invalid { file: file.to_owned(), line: line_of(text, "key"), problem });
        }
        if typed.key.is_some() && typed.slot.is_some() {
            let problem = "`slot` is one of the chip of `device`, and `key` is elsewhere".to_owned();
            return Err(Error::Invalid { file: file.to_owned(), line: line_of(text, "slot"), problem });
        }
        let unfit =
            |key, problem| Error::Invalid { file: file.to_owned(), line: line_of(text, key), problem };
        let shadow = typed.shadow.name.as_deref();
        if shadow.is_some_and(|name| !lines::is_shadow_name(name)) {
            return Err(unfit("name", lines::SHADOW_NAME.to_owned()));
        }
        let lines = lines::meant(typed.lines, shadow).map_err(|problem| unfit("[[lines]]", problem))?;
        lines::check_toggles(&typed.toggles, &lines).map_err(|problem| unfit("[[toggles]]", problem))?;
        let port = typed.port.map_or(8883, u16::from);
        let seconds = |number: std::num::NonZeroU32| Duration::from_secs(number.get().into());
        let defender = typed.defender.interval_seconds.map(seconds);
        if defender.is_some_and(|interval| interval < SHORTEST_DEFENDER_INTERVAL) {
            let problem = "AWS takes a report every 300 seconds at most".to_owned();
            return Err(unfit("interval_seconds", problem));
        }
        let defaults = Reconnect::default();
        let first = typed.reconnect.first_seconds.map_or(defaults.first, seconds);
        let longest = typed.reconnect.longest_seconds.map_or(defaults.longest, seconds).max(first);
        let beside = |path: &Path| file.parent().unwrap_or(Path::new("")).join(path);
        let template = |typed: Option<Template>, default| typed.unwrap_or_else(|| Template::fixed(default));
        let address = typed.address.map(|address| address.0);
        let dialled = address.as_deref().and_then(|address| address.parse().ok());
        let dialled = dialled.unwrap_or_else(|| Destination::new(&typed.endpoint.0, port));
        let variable = |name: &str| std::env::var(name).ok();
        let password_file = typed.proxy_password_file.as_deref().map(beside);
        let proxy =
            connection::proxy(typed.proxy, password_file, &dialled, variable).map_err(|(key, problem)| {
                Error::Invalid { file: file.to_owned(), line: line_of(text, key), problem }
            })?;
        let outbox = typed.outbox.options(beside);
        let slot = typed.slot.map(|slot| slot.0);
        let mut key = typed.key.map(|key| key.0.relative_to(file.parent().unwrap_or(Path::new(""))));
        let mut certificate_file = typed.certificate_file.as_deref().map(beside);
        let home = provision::Home {
            folder: outbox.folder.as_deref(),
            key: &mut key,
            certificate_file: &mut certificate_file,
            is_in_chip: typed.device.is_some() || slot.is_some(),
            slot: slot.map(Slot::number),
        };
        let provision = typed.provision.map(|typed| typed.meant(beside, home)).transpose();
        let mut provision = provision.map_err(|problem| Error::Invalid {
            file: file.to_owned(),
            line: line_of(text, "[provision]"),
            problem,
        })?;
        if let Some(provision) = &mut provision {
            provision.names_thing = typed.thing_name.is_none();
            provision.names_client = typed.client_id.is_none();
        }
        Ok(Self {
            endpoint: typed.endpoint.0,
            port,
            address,
            proxy,
            tls: typed.tls.into(),
            mqtt: typed.mqtt.into(),
            clean_session: typed.clean_session.unwrap_or(true),
            last_will: typed.last_will,
            ca_file: beside(&typed.ca_file),
            alpn: match typed.alpn {
                Some(protocol) => Some(protocol).filter(|protocol| !protocol.is_empty()),
                None => (port == 443).then(|| ALPN_AWS_MQTT.to_owned()),
            },
            device: typed.device.map(|device| device.0),
            slot,
            key,
            certificate_file,
            thing_name: template(typed.thing_name, "{common_name}"),
            client_id: template(typed.client_id, "{thing_name}"),
            keep_alive_seconds: typed.keep_alive_seconds.map_or(30, u16::from),
            reconnect: Reconnect { first, longest },
            outbox,
            local: typed.local.meant(beside),
            status: typed.status.meant(beside),
            telemetry: Telemetry {
                topic: template(typed.telemetry.topic, "{client_id}/telemetry"),
                interval: typed.telemetry.interval_seconds.map_or(Duration::from_secs(60), seconds),
                text: typed.telemetry.text.map(Template::free),
            },
            commands: Commands { topic: template(typed.commands.topic, "{client_id}/commands") },
            shadow: Shadow { enabled: typed.shadow.enabled.unwrap_or(true) },
            lines,
            toggles: typed.toggles,
            provision,
            jobs: typed.jobs.meant().map_err(|problem| unfit("[jobs]", problem))?,
            defender,
        })
    }
}

/// The line on which the setting `key` of the top level, or the first table of this name, stands.
fn line_of(text: &str, key: &str) -> usize {
    let is_there = |line: &str| line.split('=').next().is_some_and(|name| name.trim() == key);
    text.lines().position(is_there).map_or(1, |place| place + 1)
}

fn invalid(error: &toml::de::Error, text: &str, file: &Path) -> Error {
    let start = error.span().map_or(0, |span| span.start).min(text.len());
    let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
    // Some messages have several lines; an error is one sentence.
    let problem = error.message().split('\n').collect::<Vec<_>>().join("; ");
    Error::Invalid { file: file.to_owned(), line, problem }
}
