//! `atecc-agent check`: prints what is found.

use std::io::Write;

use atecc_agent::check::{Finding, Options, State, examine};
use serde::Serialize;

use crate::Failure;
use crate::cli::Check;

/// The JSON document, as `atecc doctor --json` has it.
#[derive(Serialize)]
struct Document<'a> {
    healthy: bool,
    findings: &'a [Finding],
}

pub(crate) fn run(arguments: &Check) -> Result<(), Failure> {
    let mut options = Options::default();
    options.offline = arguments.offline;
    options.take_over = arguments.take_over;
    let tell = |finding: &Finding| {
        if !arguments.json {
            print(&lines(finding));
        }
    };
    let work = examine(&arguments.config, arguments.device.as_deref(), options, tell);
    let findings = super::block_on(0, work)?;
    let wrong = findings.iter().filter(|finding| finding.state == State::Wrong);
    let wrong: Vec<_> = wrong.map(|finding| finding.check).collect();
    if arguments.json {
        let document = Document { healthy: wrong.is_empty(), findings: &findings };
        print(&format!("{}\n", serde_json::to_string_pretty(&document).map_err(Failure::runtime)?));
    }
    match wrong.as_slice() {
        [] => Ok(()),
        ["configuration"] => Err(Failure::configuration("nothing else was looked at")),
        some => Err(Failure::runtime(format!("wrong: {}", some.join(", ")))),
    }
}

fn lines(finding: &Finding) -> String {
    let state = match finding.state {
        State::Ok => "ok",
        State::Warning => "warning",
        State::Wrong => "WRONG",
        _ => "skipped",
    };
    let mut lines = format!("{state:<9}{:<15}{}\n", finding.check, finding.found);
    if let Some(fix) = &finding.fix {
        lines += &format!("{:<9}{:<15}{fix}\n", "", "to mend it:");
    }
    lines
}

fn print(text: &str) {
    // A closed stdout is nobody's problem.
    let _ = std::io::stdout().write_all(text.as_bytes());
}
