//! The last warnings and errors, taken out of the log: what is worth a line there is worth being seen here.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::Monitor;

/// Problems that are kept.
const MOST: usize = 12;
/// Characters of one.
const LONGEST: usize = 600;

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// `warning` or `error`.
    level: &'static str,
    /// What happened, and what to do.
    message: String,
    /// How often, if the same came several times.
    times: u64,
    /// When it was first.
    first_at: u64,
    /// When it was last.
    last_at: u64,
}

/// The last problems, the newest first.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<Problem>);

impl Recent {
    pub(super) fn add(&mut self, level: &'static str, message: String, now: u64) {
        let same = self.0.iter().position(|problem| problem.message == message);
        let problem = match same.and_then(|place| self.0.remove(place)) {
            Some(problem) => Problem { level, times: problem.times + 1, last_at: now, ..problem },
            None => Problem { level, message, times: 1, first_at: now, last_at: now },
        };
        self.0.truncate(MOST - 1);
        self.0.push_front(problem);
    }

    pub(super) fn list(&self) -> Vec<Problem> {
        self.0.iter().cloned().collect()
    }
}

/// Hands what is logged as a warning or an error to a [`Monitor`]. A layer for the log of the process.
#[derive(Clone, Debug)]
pub struct Problems(Monitor);

impl Problems {
    /// A layer for `monitor`.
    pub fn of(monitor: &Monitor) -> Self {
        Self(monitor.clone())
    }
}

impl<S: Subscriber> Layer<S> for Problems {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            _ => return,
        };
        let mut text = Text::default();
        event.record(&mut text);
        self.0.problem(level, text.finish(), now());
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// The message, and its fields that are texts. Numbers differ each time, and the same problem shall stay one.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Text {
    fn finish(self) -> String {
        let mut text = self.message;
        if !self.fields.is_empty() {
            let _ = write!(text, " ({})", self.fields);
        }
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => {
                text.truncate(end);
                text + "..."
            }
            None => text,
        }
    }

    fn field(&mut self, name: &str, value: &dyn fmt::Display) {
        let comma = if self.fields.is_empty() { "" } else { ", " };
        let _ = write!(self.fields, "{comma}{name}: {value}");
    }
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            name => self.field(name, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            name => self.field(name, &format_args!("{value:?}")),
        }
    }

    fn record_u64(&mut self, _: &Field, _: u64) {}
    fn record_i64(&mut self, _: &Field, _: i64) {}
    fn record_u128(&mut self, _: &Field, _: u128) {}
    fn record_i128(&mut self, _: &Field, _: i128) {}
    fn record_f64(&mut self, _: &Field, _: f64) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt;

    #[test]
    fn warnings_are_kept_once_with_their_texts() {
        let monitor = Monitor::new();
        let log = tracing_subscriber::registry().with(Problems::of(&monitor));
        tracing::subscriber::with_default(log, || {
            tracing::info!("all is well");
            for wait in 1..=3 {
                tracing::warn!(retry_in_ms = wait, "not connected: {}", "no route");
            }
            tracing::error!(topic = "a/b", "refused");
            tracing::warn!("{}", "x".repeat(10_000));
        });
        let problems = monitor.status().problems;
        assert_eq!(problems.len(), 3);
        assert_eq!(problems[0].message.len(), LONGEST + 3);
        assert_eq!((problems[1].level, problems[1].message.as_str()), ("error", "refused (topic: a/b)"));
        assert_eq!((problems[2].times, problems[2].message.as_str()), (3, "not connected: no route"));
    }

    #[test]
    fn the_oldest_go() {
        let mut recent = Recent::default();
        for number in 0..100 {
            recent.add("error", number.to_string(), number);
        }
        let list = recent.list();
        assert_eq!((list.len(), list[0].message.as_str(), list[MOST - 1].last_at), (MOST, "99", 88));
    }
}
