//! What is not verified or not registered, and why, as it comes.

use serde::Serialize;

use super::trust::{Inspection, Standing};
use crate::{error::Error, output};

/// An entry that cannot be registered.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Problem {
    /// From 1.
    pub(super) entry: usize,
    pub(super) serial_number: Option<String>,
    /// One word for programs.
    pub(super) result: &'static str,
    pub(super) reason: String,
}

impl Problem {
    /// What keeps the entry from being verified, if something does.
    pub(super) fn of(entry: usize, inspection: &Inspection<'_>) -> Result<(), Self> {
        let (result, reason) = match &inspection.standing {
            Ok(Standing::Verified) => return Ok(()),
            Ok(standing) => (result(Ok(*standing)), standing.to_string()),
            Err(refusal) => (result(Err(())), refusal.to_string()),
        };
        Err(Self { entry, serial_number: inspection.serial_number.map(str::to_owned), result, reason })
    }

    /// Whether it is not to be believed; others have nothing to register.
    pub(super) fn is_refused(&self) -> bool {
        self.result == result(Err(()))
    }
}

/// One word for programs.
pub(super) const fn result(standing: Result<Standing, ()>) -> &'static str {
    match standing {
        Ok(Standing::Verified) => "verified",
        Ok(Standing::WithoutKeys) => "without_keys",
        Ok(Standing::WithoutCertificate) => "without_certificate",
        Err(()) => "refused",
    }
}

/// `text` for a terminal. It may come from a file that nobody signed, so nothing in it may end the line, move the
/// cursor or turn the direction of writing.
pub(super) fn printable(text: &str) -> String {
    let is_plain = |letter: char| letter == ' ' || letter.is_ascii_graphic() || letter.is_alphanumeric();
    text.chars().map(|letter| if is_plain(letter) { letter } else { '?' }).collect()
}

/// A table, or the first member of a JSON document. Written as it comes, so that its length costs no memory.
#[derive(Debug)]
pub(super) struct Problems {
    json: bool,
    is_first: bool,
}

impl Problems {
    pub(super) fn new(json: bool) -> Result<Self, Error> {
        if json {
            output::text("{\n  \"problems\": [", None)?;
        }
        Ok(Self { json, is_first: true })
    }

    pub(super) const fn is_json(&self) -> bool {
        self.json
    }

    pub(super) fn add(&mut self, problem: &Problem) -> Result<(), Error> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        if self.json {
            let comma = if is_first { "" } else { "," };
            return output::text(&format!("{comma}\n    {}", serde_json::to_string(problem)?), None);
        }
        let head = if is_first { "entry    serial number       result               reason\n" } else { "" };
        let Problem { entry, serial_number, result, reason } = problem;
        let serial_number = serial_number.as_deref().unwrap_or("-");
        let line = printable(&format!("{entry:<8} {serial_number:<19.40} {result:<20} {reason}"));
        output::text(&format!("{head}{line}\n"), None)
    }

    /// Ends the JSON document with the members of `rest`, an object.
    pub(super) fn end(&self, rest: &serde_json::Value) -> Result<(), Error> {
        let new_line = if self.is_first { "" } else { "\n  " };
        let rest = serde_json::to_string_pretty(rest)?;
        output::text(&format!("{new_line}],{}\n", rest.trim_start_matches('{')), None)
    }
}
