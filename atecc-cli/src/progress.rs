//! A line on standard error that shows that something goes on.

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is done sooner needs no line.
const PATIENCE: Duration = Duration::from_secs(1);

/// Counts steps, and shows them once they take longer than a second. It shows nothing to programs: not where
/// standard error is no terminal, nor with `--json`.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    start: Instant,
    may_show: bool,
}

impl Progress {
    /// Nothing of `steps` is done yet.
    pub(crate) fn new(steps: usize, json: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::hidden());
        // The template is ours and is right; without it the line would only look different.
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        Self { bar, start: Instant::now(), may_show: !json && io::stderr().is_terminal() }
    }

    /// The next step, in words, begins.
    pub(crate) fn begin(&mut self, step: &str) {
        if self.may_show && self.start.elapsed() >= PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.may_show = false;
        }
        self.bar.set_message(step.to_owned());
    }

    /// A step is done.
    pub(crate) fn done(&mut self) {
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
