//! Lines without a cloud: their safe states, and inputs that changed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Feature, Means};
use crate::gpio::Change;
use crate::supervisor::{Cause, Report};

/// Looks after lines.
pub(super) struct Lines {
    /// Since when there is no connection; `None`: there is one.
    gone: Option<Instant>,
    /// Inputs and their states as told last.
    inputs: BTreeMap<String, bool>,
    /// The last attempt to make a line safe failed.
    fails: bool,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self { gone: Some(Instant::now()), inputs: BTreeMap::new(), fails: false }
    }

    fn make_safe(&mut self, gone: Duration, means: &mut Means) {
        for (property, safe) in means.lines.unsafe_after(gone) {
            let result = means.switch(&property, safe, Cause::Safety);
            let failed_before = std::mem::replace(&mut self.fails, result.is_err());
            if let Err(unfit) = result
                && !failed_before
            {
                means.tell(Report::LineFailed { problem: format!("it cannot be made safe: {unfit}") });
            }
        }
    }
}

impl Feature for Lines {
    fn connected(&mut self, _means: &mut Means) {
        self.gone = None;
    }

    fn disconnected(&mut self, _means: &mut Means) {
        self.gone.get_or_insert_with(Instant::now);
    }

    fn tick(&mut self, means: &mut Means) {
        for (property, change) in means.lines.mend(Instant::now()) {
            means.tell(match change {
                Change::Lost => Report::LineLost { property },
                Change::Back => Report::LineBack { property },
            });
        }
        if let Some(gone) = self.gone {
            self.make_safe(gone.elapsed(), means);
        }
        let inputs: Vec<_> = means.lines.inputs().map(|(name, on)| (name.to_owned(), on)).collect();
        for (property, on) in inputs {
            if self.inputs.insert(property.clone(), on).is_some_and(|before| before != on) {
                means.tell(Report::InputChanged { property, on });
            }
        }
    }

    fn stop(&mut self, means: &mut Means) {
        self.make_safe(Duration::MAX, means);
    }
}
