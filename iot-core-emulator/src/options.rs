//! How the emulator is started.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::{Error, Throttles};

/// How the emulator is started. [`Default`] suits tests: loopback only, free ports.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name that clients must send as SNI; what `describe-endpoint` would return.
    /// Must end in a label reserved for tests, see [`Error::Endpoint`].
    pub endpoint: String,
    /// Where the listener without ALPN binds (AWS: port 8883). Port 0 takes a free one.
    pub mqtt_address: SocketAddr,
    /// Where the listener that demands ALPN `x-amzn-mqtt-ca` binds (AWS: port 443). Port 0 takes a free one.
    pub alpn_address: SocketAddr,
    /// The region in ARNs.
    pub region: String,
    /// The account in ARNs.
    pub account: String,
    /// More accounts in the same region, each with its endpoint and its number. A client chooses by SNI.
    pub further_accounts: Vec<(String, String)>,
    /// How much may happen in a second.
    pub throttles: Throttles,
    /// How long just-in-time provisioning takes after the first connection was closed.
    pub provisioning_delay: Duration,
    /// How long a client may take for the TLS handshake. Generous by default: a secure element
    /// behind a serial line needs most of a second for its signature.
    pub handshake_timeout: Duration,
    /// How long a client may take from the end of the handshake to a complete CONNECT packet.
    pub connect_timeout: Duration,
    /// The return code of a CONNACK that refuses an inactive certificate or a denied `iot:Connect`.
    ///
    /// AWS's developer guide (page "MQTT", differences from the specification) names 7 where
    /// MQTT 3.1.1 has 5. Clients that know only 0 to 5 report 7 as a malformed packet; set 5 to
    /// see how an agent takes the code of the specification.
    pub not_authorised_code: u8,
}

impl Default for Options {
    fn default() -> Self {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            endpoint: "emulator-ats.iot.local.test".to_owned(),
            mqtt_address: any_port,
            alpn_address: any_port,
            region: "emulator-1".to_owned(),
            account: "000000000000".to_owned(),
            further_accounts: Vec::new(),
            throttles: Throttles::default(),
            provisioning_delay: Duration::ZERO,
            handshake_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            not_authorised_code: 7,
        }
    }
}

impl Options {
    /// Refuses names that could be taken for AWS or would break an ARN.
    pub(crate) fn check(&self) -> Result<(), Error> {
        const RESERVED: [&str; 4] = ["test", "example", "invalid", "localhost"];
        let mut endpoints = BTreeSet::new();
        for (endpoint, number) in self.accounts() {
            let reserved = endpoint
                .rsplit_once('.')
                .is_some_and(|(name, top)| !name.is_empty() && RESERVED.contains(&top));
            let dns_name = rustls::pki_types::DnsName::try_from(endpoint).is_ok();
            if !reserved || !dns_name || !endpoints.insert(endpoint) {
                return Err(Error::Endpoint(endpoint.to_owned()));
            }
            for part in [self.region.as_str(), number] {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                if part.is_empty() || !part.bytes().all(plain) {
                    return Err(Error::Arn(part.to_owned()));
                }
            }
        }
        Ok(())
    }

    /// Each account's endpoint and number.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (&str, &str)> {
        let further = self.further_accounts.iter().map(|(endpoint, number)| (&**endpoint, &**number));
        std::iter::once((&*self.endpoint, &*self.account)).chain(further)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_must_be_reserved_for_tests() {
        assert!(Options::default().check().is_ok());
        for bad in ["a1b2-ats.iot.eu-central-1.amazonaws.com", "test", ".test", "a b.test", ""] {
            let options = Options { endpoint: bad.to_owned(), ..Options::default() };
            assert!(matches!(options.check(), Err(Error::Endpoint(_))), "{bad}");
        }
    }
}
