//! `atecc manifest register`.

mod account;
mod api;
mod bucket;
mod clock;
mod interrupt;
mod journal;
mod plan;
mod progress;
mod reel;
mod registrar;
mod registry;
mod report;
#[cfg(test)]
mod simulation;
mod stop;
mod survey;

use std::{path::PathBuf, thread};

pub(crate) use journal::JournalError;
use tokio::sync::mpsc;

use self::{
    api::Quota,
    interrupt::Interrupt,
    journal::Journal,
    plan::Plan,
    reel::{End, Event, Wish},
    report::Report,
    survey::Survey,
};
use super::{ManifestError, chip::Chip, source::Source, trust::Inspection};
use crate::{
    aws,
    error::Error,
    register::{Policy, PolicyOptions, Template},
    session::Session,
};

/// So many verified entries wait to be registered.
const WAITING: usize = 256;

/// Register the chips of a manifest with AWS IoT Core.
///
/// First the whole manifest is verified, as `atecc manifest verify` does; if any entry is not to be believed, nothing
/// is registered. Then each certificate is registered as it is, without a CA and active at once, with a thing that is
/// named after it, in a group that has the policy. Calls come as fast as the quotas of the account allow (10
/// certificates a second if it has asked for no more), and are repeated when they are throttled or get lost.
///
/// A journal says what is done. After a kill, a loss of power or Ctrl-C the same command goes on where it was.
///
/// Exit code 0: everything is in place. Exit code 1: some chips failed, some entries were left out as not to be
/// believed, or it ended early.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Each thing's name, with {common_name} (of the certificate) or {serial} (of the chip).
    #[arg(long, value_name = "NAME", default_value = "{common_name}")]
    thing: Template,
    /// The group of things that all are added to; it is made if it is not there, and the policy is attached to it.
    #[arg(long, value_name = "NAME", default_value = "atecc-devices", value_parser = super::chip::group_name)]
    group: String,
    /// No group: the policy is attached to each certificate.
    #[arg(long, conflicts_with = "group")]
    no_group: bool,
    #[command(flatten)]
    policy: PolicyOptions,
    /// Calls per second of an API, if AWS allows this account others than its default, such as
    /// RegisterCertificateWithoutCA=100; may be repeated.
    #[arg(long, value_name = "API=RATE")]
    quota: Vec<Quota>,
    /// Where the journal is kept; by default beside the manifest, with the account's endpoint in its name.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    journal: Option<PathBuf>,
    /// Leave out entries that are not to be believed, and register the others.
    #[arg(long)]
    skip_refused: bool,
    /// Verify, look and say what would be done; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    aws: aws::Options,
}

pub(super) fn run(session: &Session, arguments: &Arguments) -> Result<(), Error> {
    if arguments.source.is_stdin() {
        return Err(ManifestError::ReadTwice.into());
    }
    if arguments.thing.is_fixed() {
        return Err(ManifestError::OneName.into());
    }
    let policy = arguments.policy.read()?;
    let mut report = Report::new(arguments.json)?;
    let result = survey_and_register(session, arguments, policy.as_ref(), &mut report);
    // What was done before the error is told too.
    report.end(result.as_ref().err())?;
    result?;
    report.verdict()
}

fn survey_and_register(
    session: &Session,
    arguments: &Arguments,
    policy: Option<&Policy>,
    report: &mut Report,
) -> Result<(), Error> {
    let survey = Survey::take(session, arguments, report)?;
    let runtime = aws::runtime()?;
    let plan = runtime.block_on(Plan::make(arguments, policy, survey))?;
    if arguments.dry_run {
        return runtime.block_on(plan.show(report));
    }
    let interrupt = Interrupt::listen(session)?;
    let mut journal = Journal::open(&plan.journal, &plan.subject)?;
    let registrar = runtime.block_on(plan.prepare())?;
    report.begin(&plan, journal.len())?;
    let (sender, receiver) = mpsc::channel(WAITING);
    // One thread has the entries verified once more, this one registers what comes of them.
    thread::scope(|scope| {
        let feed = scope.spawn(move || feed(session, arguments, &sender));
        let tell = |event: Event<'_>| {
            report.tell(&event);
            if interrupt.is_wanted() { Wish::Stop } else { Wish::GoOn }
        };
        let end = runtime.block_on(reel::run(&registrar, receiver, &mut journal, tell))?;
        let fed = feed.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match end {
            End::Interrupted => Err(ManifestError::Interrupted { journal: plan.journal.clone() }.into()),
            End::GaveUp(why) => Err(ManifestError::GaveUp { why, journal: plan.journal.clone() }.into()),
            End::Complete if fed? == plan.survey.chips => Ok(()),
            End::Complete => Err(ManifestError::Changed { path: arguments.source.path().into() }.into()),
        }
    })
}

/// Hands on the chips of the manifest until there are no more or nobody wants more; how many there were.
fn feed(session: &Session, arguments: &Arguments, chips: &mpsc::Sender<Chip>) -> Result<usize, Error> {
    let mut count = 0;
    let look = |entry, inspection: &Inspection<'_>| Chip::of(entry, inspection, &arguments.thing);
    arguments.source.inspect(session, true, look, |_, chip, _| {
        // What is none was told of by the survey.
        let Ok(chip) = chip else { return Ok(()) };
        count += 1;
        chips.blocking_send(chip).map_err(|_| Error::Cancelled)
    })?;
    Ok(count)
}
