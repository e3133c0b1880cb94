//! Commands: told, and nothing else.

use super::{Feature, Means};
use crate::config::Names;
use crate::mqtt::Message;
use crate::supervisor::Report;

/// Listens to commands.
pub(super) struct Commands {
    filter: String,
    /// Where this agent publishes itself, which the filter may fit.
    own: String,
}

impl Commands {
    pub(super) fn new(names: &Names) -> Self {
        Self { filter: names.commands.clone(), own: names.telemetry.clone() }
    }
}

impl Feature for Commands {
    fn filters(&self) -> Vec<String> {
        vec![self.filter.clone()]
    }

    fn message(&mut self, message: &Message, means: &mut Means) {
        if message.topic != self.own {
            means.tell(Report::Command(message.clone()));
        }
    }
}
