//! `[status]`: where the agent tells how it is.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::values::loopback;

/// Where the agent tells how it is. Without a socket and an address: nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// A loopback address to listen on.
    pub listen: Option<SocketAddr>,
    /// A Unix socket to listen on.
    pub socket: Option<PathBuf>,
    /// Host names by which the port may be asked, beside localhost.
    pub hosts: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Typed {
    listen: Option<Loopback>,
    socket: Option<PathBuf>,
    #[serde(default)]
    hosts: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Loopback(SocketAddr);

impl TryFrom<String> for Loopback {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        loopback(&text).map(Self).ok_or_else(|| {
            format!(
                "listen {text:?} must be a loopback address and a port, for example \"127.0.0.1:8608\"; other machines reach it through ssh -L, or a web server with a password (docs/operation.md)"
            )
        })
    }
}

impl Typed {
    /// What is meant. `beside` resolves a path of the configuration.
    pub(super) fn meant(self, beside: impl Fn(&Path) -> PathBuf) -> Status {
        Status {
            listen: self.listen.map(|Loopback(address)| address),
            socket: self.socket.as_deref().map(beside),
            hosts: self.hosts,
        }
    }
}
