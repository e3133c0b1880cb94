//! How the link is set up.

use std::time::Duration;

use super::{Error, Reconnect};
use crate::dial::{Destination, Dialler, Proxy};
use crate::tls::Connector;

/// A version of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Version {
    /// MQTT 3.1.1.
    #[default]
    V311,
    /// MQTT 5.
    V5,
}

/// A message that the server publishes, at QoS 1, when a connection ends without a goodbye.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWill {
    /// Its topic.
    pub topic: String,
    /// Its content.
    pub message: Vec<u8>,
    /// Whether the server keeps it for later subscribers.
    pub retain: bool,
}

/// How the link is set up. Start from [`Options::new`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The MQTT client id, unique per account.
    pub client_id: String,
    /// The server's port.
    pub port: u16,
    /// `host:port` to dial instead of the endpoint; the endpoint stays the name in SNI and certificate.
    pub address: Option<String>,
    /// The proxy to dial through.
    pub proxy: Option<Proxy>,
    /// The version of the protocol.
    pub version: Version,
    /// Whether the server forgets the subscriptions, and what came for them, when a connection ends.
    pub clean_session: bool,
    /// What the server publishes if we are lost.
    pub last_will: Option<LastWill>,
    /// What to subscribe to at QoS 1, on every connection.
    pub filters: Vec<String>,
    /// Seconds without traffic after which the link asks whether the server is still there.
    pub keep_alive_seconds: u16,
    /// How long dialling, handshake and CONNECT may take together. The library's five seconds are too short
    /// for a chip behind a serial line that others use too.
    pub connect_timeout: Duration,
    /// How long to wait between attempts.
    pub reconnect: Reconnect,
    /// Messages sent and not acknowledged at any time. AWS allows 100.
    pub in_flight: u16,
    /// Messages that may wait for the server; more are refused.
    pub queue: usize,
}

impl Options {
    /// The options for `client_id` with defaults that suit AWS IoT Core.
    pub fn new(client_id: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            port: 8883,
            address: None,
            proxy: None,
            version: Version::default(),
            clean_session: true,
            last_will: None,
            filters: Vec::new(),
            keep_alive_seconds: 30,
            connect_timeout: Duration::from_secs(60),
            reconnect: Reconnect::default(),
            in_flight: 100,
            queue: 1000,
        }
    }

    /// Dials what is to be dialled.
    pub(crate) fn dialler(&self, connector: &Connector) -> Result<Dialler, Error> {
        let destination = match &self.address {
            Some(address) => address.parse().map_err(Error::Address)?,
            None => Destination::new(connector.endpoint(), self.port),
        };
        Ok(Dialler::new(destination, self.proxy.clone()))
    }
}
