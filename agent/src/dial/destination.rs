//! What is dialled.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// A host name or an address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
}

impl Destination {
    /// Brackets around an IPv6 address may be there or not.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Self {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Self { host: bare.to_owned(), port }
    }

    /// The name or address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The address, if it is not a name.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl From<SocketAddr> for Destination {
    fn from(address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port() }
    }
}

/// `host:port`; an IPv6 address in brackets (RFC 3986, section 3.2.2).
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let problem = || {
            format!(
                "{text:?} must be \"host:port\", for example \"192.0.2.1:8883\" or \"[2001:db8::1]:8883\""
            )
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(problem)?;
        let bracketed = host.starts_with('[') && host.ends_with(']');
        let destination = Self::new(host, port.parse().map_err(|_| problem())?);
        let good = if bracketed {
            destination.address().is_some_and(|address| address.is_ipv6())
        } else {
            !host.is_empty() && !host.contains([':', '/', '@', '[', ']', ' '])
        };
        if good && destination.port != 0 { Ok(destination) } else { Err(problem()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses() {
        for good in ["broker.test:8883", "192.0.2.1:443", "[2001:db8::1]:443", "[::1]:1"] {
            assert_eq!(good.parse::<Destination>().unwrap().to_string(), good);
        }
        assert_eq!(Destination::new("[::1]", 9).host(), "::1");
        for bad in ["host", ":1", "host:", "host:0", "host:99999", "::1:8883", "[host]:1", "[::1]", "a@b:1"] {
            assert!(bad.parse::<Destination>().is_err(), "{bad}");
        }
    }
}
