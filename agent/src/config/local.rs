//! `[local]`: the built-in MQTT listener for programs on this machine.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::values::{Template, loopback};

/// Clients at once, if nothing else is said.
const CLIENTS: u16 = 32;

/// The built-in listener. Without a socket and an address there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Local {
    /// A Unix socket to listen on.
    pub socket: Option<PathBuf>,
    /// A loopback address to listen on.
    pub listen: Option<SocketAddr>,
    /// Clients at once.
    pub clients: u16,
    /// What goes before a local topic in the cloud.
    pub prefix: Template,
    /// Filters of local topics that go up; without any, all do.
    pub publish: Vec<String>,
    /// Filters of cloud topics that come down.
    pub subscribe: Vec<Template>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Typed {
    socket: Option<PathBuf>,
    listen: Option<Loopback>,
    clients: Option<NonZeroU16>,
    prefix: Option<Template>,
    #[serde(default)]
    publish: Vec<String>,
    #[serde(default)]
    subscribe: Vec<Template>,
}

/// An address that only this machine can reach: whoever may connect may speak as this gateway.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Loopback(SocketAddr);

impl TryFrom<String> for Loopback {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        loopback(&text).map(Self).ok_or_else(|| {
            format!(
                "listen {text:?} must be a loopback address and a port, for example \"127.0.0.1:1883\": whoever may connect speaks as this gateway; for other machines use mosquitto with passwords as a bridge (docs/clients/mosquitto.md)"
            )
        })
    }
}

impl Typed {
    /// What is meant. `beside` resolves a path of the configuration.
    pub(super) fn meant(self, beside: impl Fn(&Path) -> PathBuf) -> Local {
        Local {
            socket: self.socket.as_deref().map(beside),
            listen: self.listen.map(|Loopback(address)| address),
            clients: self.clients.map_or(CLIENTS, u16::from),
            prefix: self.prefix.unwrap_or_else(|| Template::fixed("")),
            publish: self.publish,
            subscribe: self.subscribe,
        }
    }
}
