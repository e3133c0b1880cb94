//! `atecc manifest verify`.

use std::time::Instant;

use serde::Serialize;

use super::{
    error::ManifestError,
    source::Source,
    trust::{Inspection, Standing},
};
use crate::{error::Error, output, session::Session};

/// Verify a manifest: who signed it, and whether each certificate is that of its chip.
///
/// An entry is verified if one of Microchip's log signers signed it as it stands, and if its certificate is for
/// its serial number and key, was issued by its signer, and that by Microchip's root. Log signers are known by
/// fingerprint; the dates in their certificates do not count, since chips outlive them.
///
/// Printed is what is not verified, and a count. Exit code 0: no entry was refused. Exit code 1: some were, or the
/// file is damaged.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
}

/// An entry that cannot be registered.
#[derive(Debug, Serialize)]
struct Problem {
    /// From 1.
    entry: usize,
    serial_number: Option<String>,
    result: &'static str,
    reason: String,
}

/// The numbers at the end.
#[derive(Debug, Default, Serialize)]
struct Summary {
    entries: usize,
    verified: usize,
    /// Well signed, without keys or certificate: nothing to register.
    without_certificate: usize,
    refused: usize,
}

pub(super) fn run(session: &Session, arguments: &Arguments) -> Result<(), Error> {
    let mut report = Report::new(arguments.json)?;
    let read =
        arguments.source.inspect(session, arguments.json, problem, |_, problem, meter| match problem {
            Ok(()) => {
                report.summary.entries += 1;
                report.summary.verified += 1;
                Ok(())
            }
            Err((problem, is_refused)) => meter.suspend(|| report.add(&problem, is_refused)),
        });
    // What was found before the damage is told too.
    report.end(read.as_ref().err())?;
    read?;
    let Summary { entries, refused, .. } = report.summary;
    match (entries, refused) {
        (0, _) => Err(ManifestError::Empty { path: arguments.source.path().into() }.into()),
        (_, 0) => Ok(()),
        _ => Err(ManifestError::Refused { refused, entries }.into()),
    }
}

/// What is wrong with the entry, and whether that is a reason not to believe it.
fn problem(entry: usize, inspection: &Inspection<'_>) -> Result<(), (Problem, bool)> {
    let (result, reason) = match &inspection.standing {
        Ok(Standing::Verified) => return Ok(()),
        Ok(standing) => (result(Ok(*standing)), standing.to_string()),
        Err(refusal) => (result(Err(())), refusal.to_string()),
    };
    let serial_number = inspection.serial_number.map(str::to_owned);
    Err((Problem { entry, serial_number, result, reason }, inspection.standing.is_err()))
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

/// Written as it comes, so that its length costs no memory.
struct Report {
    json: bool,
    is_first: bool,
    summary: Summary,
    start: Instant,
}

impl Report {
    fn new(json: bool) -> Result<Self, Error> {
        if json {
            output::text("{\n  \"problems\": [", None)?;
        }
        Ok(Self { json, is_first: true, summary: Summary::default(), start: Instant::now() })
    }

    fn add(&mut self, problem: &Problem, is_refused: bool) -> Result<(), Error> {
        self.summary.entries += 1;
        if is_refused {
            self.summary.refused += 1;
        } else {
            self.summary.without_certificate += 1;
        }
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

    fn end(&self, error: Option<&Error>) -> Result<(), Error> {
        let Summary { entries, verified, without_certificate, refused } = &self.summary;
        let seconds = self.start.elapsed().as_secs_f64();
        if !self.json {
            let read = if error.is_some() { " read so far" } else { "" };
            let line = format!(
                "verified {verified} of {entries} entries{read}; {without_certificate} without certificate, \
                 {refused} refused; {seconds:.2} s, {rate:.0} entries/s\n",
                rate = *entries as f64 / seconds,
            );
            return output::text(&line, None);
        }
        let end = serde_json::json!({
            "entries": entries,
            "verified": verified,
            "without_certificate": without_certificate,
            "refused": refused,
            "seconds": seconds,
            "error": error.map(ToString::to_string),
        });
        let new_line = if self.is_first { "" } else { "\n  " };
        let end = serde_json::to_string_pretty(&end)?;
        output::text(&format!("{new_line}],{}\n", end.trim_start_matches('{')), None)
    }
}
