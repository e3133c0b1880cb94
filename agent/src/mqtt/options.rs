//! How the link is set up.

use std::time::Duration;

use super::{Error, Reconnect};
use crate::dial::{Destination, Dialler, Proxy};
use crate::tls::Connector;

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
            filters: Vec::new(),
            keep_alive_seconds: 30,
            connect_timeout: Duration::from_secs(60),
            reconnect: Reconnect::default(),
            in_flight: 100,
            queue: 1000,
        }
    }

    /// Dials what is to be dialled.
    pub(super) fn dialler(&self, connector: &Connector) -> Result<Dialler, Error> {
        let destination = match &self.address {
            Some(address) => address.parse().map_err(Error::Address)?,
            None => Destination::new(connector.endpoint(), self.port),
        };
        Ok(Dialler::new(destination, self.proxy.clone()))
    }
}
