//! `atecc doctor`.

mod chip;
mod failure;
mod identity;
mod report;
mod way;

use std::time::SystemTime;

use report::Report;
use x509_cert::der::DateTime;

use crate::{error::Error, session::Session};

/// Look for what keeps the chip from working, and say how to mend it.
///
/// It looks at the bus and the right to use it, wakes the chip, reads its configuration, signs once, and checks
/// the certificates and their dates. It changes nothing. If no chip answers, it looks for one at the other
/// addresses that the vendor uses; it only reads there. Exit code 1: something is wrong.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Check dates as of this time instead of now, such as 2030-01-01T00:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<SystemTime>,
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let mut report = Report::new(arguments.json);
    examine(session, arguments, &mut report)?;
    report.finish()
}

/// Each part needs the one before; what cannot be looked at is left out.
fn examine(session: &mut Session, arguments: &Arguments, report: &mut Report) -> Result<(), Error> {
    let spec = match session.spec() {
        Ok(spec) => spec,
        Err(error) => return failure::unnamed(&error, report),
    };
    report.ok("device", spec.to_string())?;
    if !way::examine(&spec, report)? {
        return Ok(());
    }
    // What the cache says of the chip is not what is asked.
    let token = match session.uncached_token() {
        Ok(token) => token,
        Err(error) => return failure::examine(&spec, &error, report),
    };
    if !chip::examine(&token, report)? {
        return Ok(());
    }
    session.check_cancelled()?;
    if identity::key(&token, report)? {
        session.check_cancelled()?;
        identity::certificates(&token, arguments.at, report)?;
    }
    chip::transfers(&token, report)
}

/// RFC 3339, in UTC.
fn time(text: &str) -> Result<SystemTime, String> {
    text.parse::<DateTime>()
        .map(|time| time.to_system_time())
        .map_err(|_| "a time is written as 2030-01-01T00:00:00Z".into())
}
