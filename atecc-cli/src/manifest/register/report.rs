//! What became of the chips: what failed as it fails, and numbers at the end.

use std::time::Instant;

use indicatif::HumanDuration;
use serde_json::{Value, json};

use super::{
    super::{
        ManifestError,
        problem::{Problem, Problems},
    },
    plan::Plan,
    progress::Progress,
    reel::Event,
    registrar::Outcome,
};
use crate::{error::Error, output};

/// A table, or one JSON document.
pub(super) struct Report {
    problems: Problems,
    progress: Progress,
    counts: Counts,
    /// What else is known at the end, for programs.
    about: Value,
    /// When registration began.
    start: Option<Instant>,
    /// An error of standard output, which ends the program when it can.
    output: Result<(), Error>,
}

/// Of this run, but for those that runs before it did.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    registered: usize,
    already_there: usize,
    done_before: usize,
    failed: usize,
    without_certificate: usize,
    refused: usize,
}

impl Report {
    pub(super) fn new(json: bool) -> Result<Self, Error> {
        Ok(Self {
            problems: Problems::new(json)?,
            progress: Progress::hidden(),
            counts: Counts::default(),
            about: json!({}),
            start: None,
            output: Ok(()),
        })
    }

    /// An entry is not registered, whatever AWS says.
    pub(super) fn leave_out(&mut self, problem: &Problem) -> Result<(), Error> {
        let Counts { without_certificate, failed, refused, .. } = &mut self.counts;
        *match problem.result {
            "without_name" => failed,
            _ if problem.is_refused() => refused,
            _ => without_certificate,
        } += 1;
        self.problems.add(problem)
    }

    /// Says what would be done if this were no dry run; `done` chips are registered already.
    pub(super) fn rehearse(&mut self, plan: &Plan<'_>, done: usize, missing: &[String]) -> Result<(), Error> {
        let (chips, seconds) =
            (plan.survey.chips - done.min(plan.survey.chips), plan.seconds(plan.survey.chips - done));
        self.about(plan);
        self.counts.done_before = done;
        self.about["dry_run"] =
            json!({ "would_register": chips, "would_make": missing, "seconds": seconds.round() });
        if self.problems.is_json() {
            return Ok(());
        }
        let time = HumanDuration(std::time::Duration::from_secs_f64(seconds));
        let make = match missing {
            [] => String::new(),
            missing => format!(", after {} are made", missing.join(" and ")),
        };
        let text = format!(
            "would register {chips} chips in {}{make}, which takes {time} or a little more\n",
            plan.place()
        );
        output::text(&text, None)
    }

    /// Registration begins; `done` chips are in place already.
    pub(super) fn begin(&mut self, plan: &Plan<'_>, done: usize) -> Result<(), Error> {
        self.about(plan);
        self.start = Some(Instant::now());
        if !self.problems.is_json() {
            self.progress = Progress::new(plan.survey.chips, done);
            let before = if done > 0 { format!(", {done} of them by a run before") } else { String::new() };
            let text = format!(
                "{} chips in {}{before}; journal: {}\n",
                plan.survey.chips,
                plan.place(),
                plan.journal.display()
            );
            self.progress.suspend(|| output::text(&text, None))?;
        }
        Ok(())
    }

    /// Something happened to a chip, or time passed.
    pub(super) fn tell(&mut self, event: &Event<'_>) {
        let Self { counts, progress, problems, output, .. } = self;
        match event {
            Event::Before => counts.done_before += 1,
            Event::Done(outcome) => {
                progress.add();
                *match outcome {
                    Outcome::Registered => &mut counts.registered,
                    Outcome::AlreadyThere => &mut counts.already_there,
                } += 1;
            }
            Event::Failed(chip, why) => {
                progress.add();
                counts.failed += 1;
                let serial_number = Some(chip.serial_number.clone());
                let problem =
                    Problem { entry: chip.entry, serial_number, result: "failed", reason: (*why).to_owned() };
                if output.is_ok() {
                    *output = progress.suspend(|| problems.add(&problem));
                }
            }
            Event::Tick => progress.tick(counts.failed),
        }
    }

    /// The numbers.
    pub(super) fn end(&mut self, error: Option<&Error>) -> Result<(), Error> {
        self.progress = Progress::hidden();
        std::mem::replace(&mut self.output, Ok(()))?;
        let Counts { registered, already_there, done_before, failed, without_certificate, refused } =
            self.counts;
        let seconds = self.start.map(|start| start.elapsed().as_secs_f64());
        if !self.problems.is_json() {
            let Some(seconds) = seconds else { return Ok(()) };
            let line = format!(
                "registered {registered}, already there {already_there}, done before {done_before}, failed {failed}; \
                 {without_certificate} without certificate, {refused} refused; {}\n",
                HumanDuration(std::time::Duration::from_secs_f64(seconds)),
            );
            return output::text(&line, None);
        }
        let mut end = json!({
            "registered": registered,
            "already_there": already_there,
            "done_before": done_before,
            "failed": failed,
            "without_certificate": without_certificate,
            "refused": refused,
            "seconds": seconds,
            "complete": error.is_none(),
            "error": error.map(ToString::to_string),
        });
        if let (Value::Object(end), Value::Object(about)) = (&mut end, std::mem::take(&mut self.about)) {
            end.extend(about);
        }
        self.problems.end(&end)
    }

    /// Whether all that the manifest has is in place.
    pub(super) fn verdict(&self) -> Result<(), Error> {
        let Counts { failed, refused, .. } = self.counts;
        match failed + refused {
            0 => Ok(()),
            _ => Err(ManifestError::NotAll { failed, refused }.into()),
        }
    }

    fn about(&mut self, plan: &Plan<'_>) {
        self.about = json!({
            "place": plan.place(),
            "endpoint": plan.subject.endpoint,
            "journal": plan.journal,
            "group": plan.subject.group,
            "policy": plan.subject.policy,
            "manifest_sha256": plan.subject.manifest,
        });
    }
}
