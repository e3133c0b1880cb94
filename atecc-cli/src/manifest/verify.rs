//! `atecc manifest verify`.

use std::time::Instant;

use super::{
    error::ManifestError,
    problem::{Problem, Problems},
    source::Source,
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

/// The numbers at the end.
#[derive(Debug, Default)]
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
        arguments.source.inspect(session, arguments.json, Problem::of, |_, problem, meter| match problem {
            Ok(()) => {
                report.summary.entries += 1;
                report.summary.verified += 1;
                Ok(())
            }
            Err(problem) => meter.suspend(|| report.add(&problem)),
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

struct Report {
    problems: Problems,
    summary: Summary,
    start: Instant,
}

impl Report {
    fn new(json: bool) -> Result<Self, Error> {
        Ok(Self { problems: Problems::new(json)?, summary: Summary::default(), start: Instant::now() })
    }

    fn add(&mut self, problem: &Problem) -> Result<(), Error> {
        self.summary.entries += 1;
        if problem.is_refused() {
            self.summary.refused += 1;
        } else {
            self.summary.without_certificate += 1;
        }
        self.problems.add(problem)
    }

    fn end(&self, error: Option<&Error>) -> Result<(), Error> {
        let Summary { entries, verified, without_certificate, refused } = &self.summary;
        let seconds = self.start.elapsed().as_secs_f64();
        if !self.problems.is_json() {
            let read = if error.is_some() { " read so far" } else { "" };
            let line = format!(
                "verified {verified} of {entries} entries{read}; {without_certificate} without certificate, \
                 {refused} refused; {seconds:.2} s, {rate:.0} entries/s\n",
                rate = *entries as f64 / seconds,
            );
            return output::text(&line, None);
        }
        self.problems.end(&serde_json::json!({
            "entries": entries,
            "verified": verified,
            "without_certificate": without_certificate,
            "refused": refused,
            "seconds": seconds,
            "error": error.map(ToString::to_string),
        }))
    }
}
