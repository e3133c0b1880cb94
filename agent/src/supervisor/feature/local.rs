//! The listener for programs on this machine, and what comes down to them.

use super::{Feature, Means};
use crate::local::{Local, Options};
use crate::mqtt::Message;
use crate::outbox::Outbox;
use crate::supervisor::{Agent, Error, Report};

/// The listener; `None` once it is closed.
pub(super) struct Listener {
    filters: Vec<String>,
    local: Option<Local>,
}

impl Listener {
    /// Opens it, if one is configured.
    pub(super) fn open(agent: &mut Agent, outbox: &Outbox) -> Result<Option<Self>, Error> {
        let config = &agent.config.local;
        if config.socket.is_none() && config.listen.is_none() {
            return Ok(None);
        }
        let mut options = Options::default();
        options.socket.clone_from(&config.socket);
        options.listen = config.listen;
        options.clients = config.clients.into();
        options.topics = agent.names.local.clone();
        let local = Local::start(options, outbox.clone())?;
        let socket = config.socket.clone();
        agent.tell(Report::Listening { socket, address: local.address() });
        Ok(Some(Self { filters: agent.names.local.subscribe.clone(), local: Some(local) }))
    }
}

impl Feature for Listener {
    fn filters(&self) -> Vec<String> {
        self.filters.clone()
    }

    fn message(&mut self, message: &Message, means: &mut Means) {
        if self.local.as_ref().is_some_and(|local| !local.deliver(message)) {
            means.tell(Report::NotHandedDown { topic: message.topic.clone() });
        }
    }

    fn tick(&mut self, means: &mut Means) {
        means.local_clients = self.local.as_ref().map(Local::clients);
    }

    fn stop(&mut self, _means: &mut Means) {
        // Who publishes now is refused, and keeps it.
        self.local = None;
    }
}
