//! What the settings mean for a connection, whoever asks for one.

use identity::Identity;

use super::Config;
use crate::mqtt::Options;
use crate::tls::{self, Connector, Roots, Versions};

impl Config {
    /// Options for a link as `client_id`, without subscriptions.
    pub(crate) fn link_options(&self, client_id: &str) -> Options {
        let mut options = Options::new(client_id);
        options.port = self.port;
        options.address.clone_from(&self.address);
        options.proxy.clone_from(&self.proxy);
        options.version = self.mqtt;
        options.keep_alive_seconds = self.keep_alive_seconds;
        options.reconnect = self.reconnect;
        options
    }

    /// Connects to the endpoint as `identity`.
    pub(crate) fn connector(&self, identity: &Identity, versions: Versions) -> Result<Connector, tls::Error> {
        let roots = Roots::from_file(&self.ca_file)?;
        Connector::new(identity, roots, &self.endpoint, self.alpn.as_deref(), versions)
    }
}
