//! `atecc selftest`.

use atecc::command::SelfTests;
use serde::Serialize;

use crate::{error::Error, output, progress::Progress, session::Session};

/// Let the chip test its engines: random numbers, ECDSA, ECDH, AES and SHA.
///
/// Exit code 1: one of them failed. Nothing in the chip changes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
}

/// One test, and the JSON document is a list of them.
#[derive(Serialize)]
struct Outcome {
    test: String,
    passed: bool,
}

const TESTS: [SelfTests; 5] =
    [SelfTests::RNG, SelfTests::ECDSA, SelfTests::ECDH, SelfTests::AES, SelfTests::SHA];

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let token = session.token()?;
    let mut progress = Progress::new(TESTS.len(), arguments.json);
    let mut outcomes = Vec::new();
    for test in TESTS {
        session.check_cancelled()?;
        progress.begin(&test.to_string());
        outcomes.push(Outcome { test: test.to_string(), passed: token.self_test(test)?.is_empty() });
        progress.done();
    }
    drop(progress);
    if arguments.json {
        output::json(&outcomes)?;
    } else {
        let line = |outcome: &Outcome| {
            format!("{:<7}{}\n", outcome.test, if outcome.passed { "passed" } else { "FAILED" })
        };
        output::text(&outcomes.iter().map(line).collect::<String>(), None)?;
    }
    if outcomes.iter().all(|outcome| outcome.passed) { Ok(()) } else { Err(Error::SelfTest) }
}
