//! The agent as a whole: opens nothing itself, wires everything.

mod error;
mod feature;
mod once;
mod report;
mod run;

use identity::Identity;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::config::{Config, Names, Subject};
use crate::gpio::Line;
use crate::mqtt::Options;
use crate::outbox::{self, Outbox};
use crate::tls::{Connector, Versions};

pub use error::Error;
use feature::Features;
pub use once::ONCE_LIMIT;
pub use report::{Cause, Pulse, Report};
pub use run::{End, SHUTDOWN_LIMIT};

/// An agent that is ready to run: configuration understood, certificates read, roots loaded.
pub struct Agent {
    config: Config,
    identity: Identity,
    names: Names,
    connector: Connector,
    /// Lines that take the place of configured ones.
    lines: Vec<(String, Box<dyn Line>)>,
    observer: Box<dyn FnMut(Report) + Send>,
    log_filter: Option<feature::LogFilter>,
    tuned: Option<UnboundedReceiver<Config>>,
}

impl Agent {
    /// An agent that is `identity`. Nothing is signed yet.
    ///
    /// # Errors
    /// When a name or the roots cannot be used.
    pub fn new(config: Config, identity: &Identity) -> Result<Self, Error> {
        let versions = config.tls;
        Self::with_versions(config, identity, versions)
    }

    /// The same with chosen versions of TLS.
    ///
    /// # Errors
    /// When a name or the roots cannot be used.
    pub fn with_versions(config: Config, identity: &Identity, versions: Versions) -> Result<Self, Error> {
        let names = config.names(&Subject::of(identity))?;
        let connector = config.connector(identity, versions)?;
        Ok(Self {
            config,
            identity: identity.clone(),
            names,
            connector,
            lines: Vec::new(),
            observer: Box::new(drop),
            log_filter: None,
            tuned: None,
        })
    }

    /// Puts `line` in the place of the configured one called `property`, if there is one.
    #[must_use]
    pub fn line(mut self, property: &str, line: impl Line + 'static) -> Self {
        self.lines.push((property.to_owned(), Box::new(line)));
        self
    }

    /// Hands everything that happens to `observer`, after it was logged. It must not block.
    #[must_use]
    pub fn observer(self, observer: impl FnMut(Report) + Send + 'static) -> Self {
        Self { observer: Box::new(observer), ..self }
    }

    /// Lets `filter` change what is logged, when a job that is allowed to wants that. Its error says why it cannot.
    #[must_use]
    pub fn log_filter(self, filter: impl FnMut(&str) -> Result<(), String> + Send + 'static) -> Self {
        Self { log_filter: Some(Box::new(filter)), ..self }
    }

    /// Takes over from each configuration that comes what can change under a living connection: the telemetry.
    #[must_use]
    pub fn tuned(self, configurations: UnboundedReceiver<Config>) -> Self {
        Self { tuned: Some(configurations), ..self }
    }

    fn link_options(&self, filters: Vec<String>) -> Options {
        let mut options = self.config.link_options(&self.names.client_id);
        options.clean_session = self.config.clean_session;
        options.last_will.clone_from(&self.names.last_will);
        options.filters = filters;
        options
    }

    /// What it would subscribe to. Opens nothing of what is configured.
    pub(crate) fn filters(mut self) -> Result<Vec<String>, Error> {
        let (outbox, _feed, _notices) = Outbox::open(outbox::Options::in_memory())?;
        (self.config.local.socket, self.config.local.listen) = (None, None);
        let mut filters = Features::of(&mut self, &outbox)?.filters();
        filters.extend(self.names.local.subscribe);
        Ok(filters)
    }

    /// The next configuration to take over from; pends for ever where none will come.
    async fn next_configuration(tuned: &mut Option<UnboundedReceiver<Config>>) -> Config {
        let next = match tuned {
            Some(tuned) => tuned.recv().await,
            None => None,
        };
        match next {
            Some(config) => config,
            None => std::future::pending().await,
        }
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
