//! How far a manifest has been read, for people who wait.

use std::{
    io::{self, IsTerminal, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is done sooner needs no line.
const PATIENCE: Duration = Duration::from_secs(1);

/// A line on standard error, of a program that works for longer than a second and has a terminal there.
#[derive(Debug)]
pub(super) struct Meter {
    bar: ProgressBar,
    passed: Arc<AtomicU64>,
    start: Instant,
    may_show: bool,
}

impl Meter {
    /// `length` is that of the file, in bytes, where it has one.
    pub(super) fn new(length: Option<u64>, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
        let template = match length {
            Some(_) => "{bar:30} {bytes}/{total_bytes}, {eta} left, {msg}",
            None => "{bytes}, {msg}",
        };
        // The template is ours and is right; without it the line would only look different.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self {
            bar,
            passed: Arc::default(),
            start: Instant::now(),
            may_show: !quiet && io::stderr().is_terminal(),
        }
    }

    /// `input`, counted.
    pub(super) fn measure<R: Read>(&self, input: R) -> impl Read + use<R> {
        Counted { input, passed: Arc::clone(&self.passed) }
    }

    /// So many entries are done.
    pub(super) fn show(&mut self, entries: usize) {
        let elapsed = self.start.elapsed();
        if self.may_show && elapsed >= PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.may_show = false;
        }
        // Often enough, and it costs nothing then.
        if entries.is_multiple_of(256) && !self.bar.is_hidden() {
            self.bar.set_position(self.passed.load(Ordering::Relaxed));
            self.bar.set_message(format!("{:.0} entries/s", entries as f64 / elapsed.as_secs_f64()));
        }
    }

    /// Lets `write` print without a bar in between.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

struct Counted<R> {
    input: R,
    passed: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.passed.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}
