//! How far registration is, for people who wait for hours.

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The rate is that of so much time.
const WINDOW: Duration = Duration::from_secs(30);
/// Where there is no terminal, a line comes so often.
const LINE: Duration = Duration::from_secs(60);

/// A line on standard error: on a terminal one that moves, elsewhere one a minute, with `--json` none.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    /// How often a line is printed, and when the last one was.
    lines: Option<Instant>,
    total: usize,
    done: usize,
    /// When the window began, and what was done then.
    window: (Instant, usize),
    rate: Option<f64>,
}

impl Progress {
    /// Nothing is shown.
    pub(super) fn hidden() -> Self {
        Self {
            bar: ProgressBar::hidden(),
            lines: None,
            total: 0,
            done: 0,
            window: (Instant::now(), 0),
            rate: None,
        }
    }

    /// `done` of `total` chips are in place.
    pub(super) fn new(total: usize, done: usize) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let target = if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        // The template is ours and is right; without it the line would only look different.
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        let now = Instant::now();
        Self { bar, lines: (!is_terminal).then_some(now), total, done, window: (now, done), rate: None }
    }

    /// One more is seen to.
    pub(super) fn add(&mut self) {
        self.done += 1;
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, failed: usize) {
        let (since, before) = self.window;
        let elapsed = since.elapsed();
        // A first estimate comes soon, and then one for each window.
        if elapsed > WINDOW || (self.rate.is_none() && elapsed > Duration::from_secs(2)) {
            self.rate = Some((self.done - before) as f64 / elapsed.as_secs_f64());
            if elapsed > WINDOW {
                self.window = (Instant::now(), self.done);
            }
        }
        let message = self.message(failed);
        self.bar.set_position(self.done as u64);
        self.bar.set_message(message.clone());
        if self.lines.is_some_and(|last| last.elapsed() > LINE) {
            self.lines = Some(Instant::now());
            eprintln!("{}/{} {message}", self.done, self.total);
        }
    }

    fn message(&self, failed: usize) -> String {
        let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        match self.rate {
            Some(rate) if rate > 0.0 => {
                let left = Duration::try_from_secs_f64(self.total.saturating_sub(self.done) as f64 / rate);
                format!("{rate:.1} chips/s, {} left{failed}", HumanDuration(left.unwrap_or(Duration::MAX)))
            }
            _ => failed,
        }
    }

    /// Lets `write` print without a bar in between.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
