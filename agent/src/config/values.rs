//! Settings that are more than a string: what is wrong with one is said with its line in the file.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use atecc::Slot;
use atecc_token::DeviceSpec;
use identity::KeySource;
use rustls::pki_types::ServerName;
use serde::Deserialize;

use crate::dial::Destination;

/// An address that only this machine can reach, with its port.
pub(super) fn loopback(text: &str) -> Option<SocketAddr> {
    text.parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback())
}

/// The server's host name.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(super) struct Endpoint(pub(super) String);

impl TryFrom<String> for Endpoint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(&text);
        if bare.parse::<IpAddr>().is_ok() {
            return Ok(Self(bare.to_owned()));
        }
        if text.contains(':') || ServerName::try_from(text.as_str()).is_err() {
            return Err(format!(
                "endpoint {text:?} must be a host name alone, without scheme and port, as `aws iot describe-endpoint --endpoint-type iot:Data-ATS` prints it"
            ));
        }
        Ok(Self(text))
    }
}

/// `host:port`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(super) struct Address(pub(super) String);

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse::<Destination>().map_err(|problem| format!("address {problem}"))?;
        Ok(Self(text))
    }
}

/// A device as atecc-token names it. Kept as text, because that crate decides between it and other sources.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(super) struct Device(pub(super) String);

impl TryFrom<String> for Device {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        DeviceSpec::from_str(&text).map_err(|error| error.to_string())?;
        Ok(Self(text))
    }
}

/// Where the private key is.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Key(pub(super) KeySource);

impl TryFrom<String> for Key {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // Not with the text, which may hold a PIN.
        text.parse().map(Self).map_err(|error: identity::SourceError| error.to_string())
    }
}

/// A slot of the chip that can hold a private key.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u8")]
pub(super) struct KeySlot(pub(super) Slot);

impl TryFrom<u8> for KeySlot {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        let slot = Slot::new(number).filter(|slot| slot.number() < 8);
        slot.map(Self).ok_or_else(|| format!("slot {number} holds no private key; slots 0 to 7 can"))
    }
}

/// A text with the placeholders `{common_name}`, `{serial}`, `{serial_lowercase}`, `{thing_name}` and `{client_id}`.
///
/// One configuration then serves a whole fleet: what differs between gateways is only the key and its certificate.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Template(String);

impl Template {
    /// A template that was checked by whoever wrote it into the program.
    pub(super) fn fixed(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// A text in which braces may stand for anything else, too.
    pub(super) fn free(text: String) -> Self {
        Self(text)
    }

    /// A text without placeholders.
    pub(super) fn literal(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Replaces `{name}` by its value, for each of `values`.
    pub(super) fn fill(&self, values: &[(&str, &str)]) -> String {
        values.iter().fold(self.0.clone(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

const PLACEHOLDERS: [&str; 5] = ["common_name", "serial", "serial_lowercase", "thing_name", "client_id"];

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let empty = PLACEHOLDERS.map(|name| (name, ""));
        let rest = Self(text).fill_checked(&empty);
        rest.map_err(|text| {
            format!(
                "{text:?} has a placeholder that is none of {{common_name}}, {{serial}}, {{serial_lowercase}}, {{thing_name}} and {{client_id}}"
            )
        })
    }
}

impl Template {
    fn fill_checked(self, values: &[(&str, &str)]) -> Result<Self, String> {
        if self.fill(values).contains(['{', '}']) { Err(self.0) } else { Ok(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        assert!(Endpoint::try_from("a1b2-ats.iot.eu-central-1.amazonaws.com".to_owned()).is_ok());
        for (text, endpoint) in [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("[2001:db8::1]", "2001:db8::1")]
        {
            assert_eq!(Endpoint::try_from(text.to_owned()).unwrap().0, endpoint);
        }
        for bad in ["", "mqtts://host", "host:8883", "a b"] {
            assert!(Endpoint::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses() {
        assert!(Address::try_from("[::1]:8883".to_owned()).is_ok());
        for bad in ["host", ":1", "host:", "host:99999"] {
            assert!(Address::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn templates() {
        let template = Template::try_from("sn{serial}/x".to_owned()).unwrap();
        assert_eq!(template.fill(&[("serial", "0123")]), "sn0123/x");
        for bad in ["{mac}", "{serial", "serial}"] {
            assert!(Template::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
