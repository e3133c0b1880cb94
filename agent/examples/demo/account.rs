//! The account that is printed: one line per step for readers, one document for programs.

use std::io::Write;
use std::time::{Duration, Instant};

use atecc_token::{Statistics, Token};
use serde_json::{Map, Value, json};

use crate::stage::Anything;

pub(crate) struct Account {
    is_json: bool,
    started: Instant,
    steps: Vec<Value>,
}

/// What a step has shown: facts by name, and the sentence for readers.
pub(crate) struct Shown {
    pub(crate) sentence: String,
    pub(crate) facts: Map<String, Value>,
}

impl Shown {
    pub(crate) fn new(sentence: impl Into<String>, facts: Value) -> Self {
        let facts = if let Value::Object(facts) = facts { facts } else { Map::new() };
        Self { sentence: sentence.into(), facts }
    }
}

impl Account {
    pub(crate) fn begin(is_json: bool) -> Anything<Self> {
        let account = Self::hidden(is_json);
        account.print(concat!(
            "The real agent between an emulated ATECC608 and an emulated IoT Core, in one process.\n",
            "EMULATOR: no hardware and no AWS takes part; the chip waits as long as a real one works.\n\n",
            "                                                              chip: signatures wakes     ms\n",
        ))?;
        Ok(account)
    }

    /// An account without its headline.
    pub(crate) fn hidden(is_json: bool) -> Self {
        Self { is_json, started: Instant::now(), steps: Vec::new() }
    }

    /// Writes down a step that succeeded and what it cost the chip.
    pub(crate) fn step(
        &mut self,
        name: &str,
        shown: &Shown,
        cost: Statistics,
        took: Duration,
    ) -> Anything<()> {
        let lines: Vec<&str> = shown.sentence.lines().collect();
        let (signatures, wakes, busy) = (cost.signatures, cost.bus.wakes, cost.busy.as_millis());
        let (first, more) = lines.split_first().unwrap_or((&"", &[]));
        self.print(&format!(" ✓ {name:<10} {first:<58} {signatures:>9} {wakes:>5} {busy:>6}\n"))?;
        for line in more {
            self.print(&format!("              {line}\n"))?;
        }
        self.steps.push(json!({
            "step": name,
            "ok": true,
            "facts": shown.facts,
            "chip": { "signatures": signatures, "wakes": wakes, "commands": cost.bus.commands,
                "busy_ms": milliseconds(cost.busy) },
            "took_ms": milliseconds(took),
        }));
        Ok(())
    }

    /// Everything happened.
    pub(crate) fn finish(self, token: &Token) -> Anything<()> {
        let total = token.statistics();
        let took = self.started.elapsed();
        self.print(&format!(
            "\nAll of it happened, in {:.1} s: {} signatures, {} wakes, {} ms of work for the chip.\n",
            took.as_secs_f64(),
            total.signatures,
            total.bus.wakes,
            total.busy.as_millis(),
        ))?;
        self.document(json!({
            "ok": true,
            "emulated": token.is_emulated(),
            "steps": self.steps,
            "chip": { "signatures": total.signatures, "wakes": total.bus.wakes,
                "commands": total.bus.commands, "busy_ms": milliseconds(total.busy) },
            "took_ms": milliseconds(took),
        }))
    }

    /// A step failed, and the rest did not take place.
    pub(crate) fn fail(self, step: &str, problem: &str) -> Anything<()> {
        self.print(&format!(
            " ✗ {step:<10} {problem}\n\nThe demo failed in step \"{step}\". --verbose shows the log.\n"
        ))?;
        let took = milliseconds(self.started.elapsed());
        self.document(json!({
            "ok": false, "failed_step": step, "error": problem, "steps": self.steps, "took_ms": took,
        }))
    }

    fn print(&self, text: &str) -> Anything<()> {
        if !self.is_json {
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
        Ok(())
    }

    fn document(&self, document: Value) -> Anything<()> {
        if self.is_json {
            writeln!(std::io::stdout().lock(), "{document:#}")?;
        }
        Ok(())
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}
