//! Topics whose messages toggle a line, whatever is in them.

use super::{Feature, Means, filters};
use crate::config::Names;
use crate::mqtt::Message;
use crate::supervisor::{Cause, Report};

/// Toggles lines.
pub(super) struct Toggles {
    /// Topic filter and property.
    toggles: Vec<(String, String)>,
}

impl Toggles {
    pub(super) fn new(names: &Names) -> Self {
        Self { toggles: names.toggles.clone() }
    }
}

impl Feature for Toggles {
    fn filters(&self) -> Vec<String> {
        self.toggles.iter().map(|(filter, _)| filter.clone()).collect()
    }

    fn message(&mut self, message: &Message, means: &mut Means) {
        for (filter, property) in &self.toggles {
            if !filters::covers(filter, &message.topic) {
                continue;
            }
            let on = !means.lines.is_on(property).unwrap_or_default();
            if let Err(unfit) = means.switch(property, on, Cause::Toggle) {
                means.tell(Report::LineFailed { problem: unfit.to_string() });
            }
        }
    }
}
