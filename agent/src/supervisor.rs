//! The agent as a whole: opens nothing itself, wires everything.

mod error;
mod once;
mod report;
mod run;

use std::sync::Arc;

use atecc_token::Token;

use crate::config::{Config, Names};
use crate::gpio::{Line, SimulatedLine};
use crate::mqtt::Options;
use crate::tls::{Connector, Identity, Roots, Versions};

pub use error::Error;
pub use once::ONCE_LIMIT;
pub use report::Report;
pub use run::SHUTDOWN_LIMIT;

/// An agent that is ready to run: configuration understood, certificates read, roots loaded.
pub struct Agent {
    config: Config,
    names: Names,
    connector: Connector,
    led: Box<dyn Line>,
    observer: Box<dyn FnMut(Report) + Send>,
}

impl Agent {
    /// An agent with the identity of `token`'s chip. Reads its certificates, or those of `certificate_file`; nothing is
    /// signed yet.
    ///
    /// # Errors
    /// When a name, the roots or the chip's certificates cannot be used.
    pub fn new(config: Config, token: &Arc<Token>) -> Result<Self, Error> {
        let names = config.names(&token.serial_number().to_string())?;
        // Before the chip is asked, because it is quicker and more often wrong.
        let roots = Roots::from_file(&config.ca_file)?;
        let identity = match &config.certificate_file {
            Some(file) => Identity::from_file(file, token)?,
            None => Identity::of_token(token)?,
        };
        Self::with_identity(config, names, roots, &identity, Versions::default())
    }

    /// An agent with any identity and chosen versions of TLS.
    ///
    /// # Errors
    /// When the endpoint is no host name.
    pub fn with_identity(
        config: Config,
        names: Names,
        roots: Roots,
        identity: &Identity,
        versions: Versions,
    ) -> Result<Self, Error> {
        let connector = Connector::new(identity, roots, &config.endpoint, config.alpn.as_deref(), versions)?;
        let led = Box::new(SimulatedLine::default());
        Ok(Self { config, names, connector, led, observer: Box::new(drop) })
    }

    /// Switches `line` instead of a simulated one of the agent's own.
    #[must_use]
    pub fn led(self, line: impl Line + 'static) -> Self {
        Self { led: Box::new(line), ..self }
    }

    /// Hands everything that happens to `observer`, after it was logged. It must not block.
    #[must_use]
    pub fn observer(self, observer: impl FnMut(Report) + Send + 'static) -> Self {
        Self { observer: Box::new(observer), ..self }
    }

    fn link_options(&self, filters: Vec<String>) -> Options {
        let mut options = Options::new(&self.names.client_id);
        options.port = self.config.port;
        options.address.clone_from(&self.config.address);
        options.filters = filters;
        options.keep_alive_seconds = self.config.keep_alive_seconds;
        options.reconnect = self.config.reconnect;
        options
    }

    fn tell(&mut self, report: Report) {
        report.log();
        (self.observer)(report);
    }

    fn tell_start(&mut self) {
        self.tell(Report::Starting {
            endpoint: self.config.endpoint.clone(),
            thing: self.names.thing.clone(),
            client_id: self.names.client_id.clone(),
        });
    }
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent")
            .field("config", &self.config)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
