//! Jobs of the cloud: one at a time, each from its announcement to an answer that the service has taken.
//!
//! Before anything is done the service is told who does it (`process`, `boot` in the status details). So an agent that was
//! started again meanwhile knows from the service what it was doing, and nothing has to be kept here.

mod step;

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Feature, LogFilter, Means, token_prefix};
use crate::config;
use crate::jobs::command::{self, Outcome};
use crate::jobs::{self, ANSWER_LIMIT, Details, Execution, Incoming, Operation, Status};
use crate::mqtt::Message;
use crate::supervisor::Report;
use step::{Step, reason};

/// How long it is waited before the same is tried again.
const PAUSE: Duration = Duration::from_secs(30);
/// How long the program that starts the machine again may take.
const REBOOT_LIMIT: Duration = Duration::from_secs(60);
/// How long the machine may go on afterwards.
const REBOOT_PATIENCE: Duration = Duration::from_secs(300);
/// What the service waits for beyond a limit of ours until it takes a job for timed out.
const MARGIN: Duration = Duration::from_secs(120);
/// How often a version that differs is taken over for one answer.
const MISMATCHES: u8 = 3;

/// Works on jobs.
pub(super) struct Jobs {
    jobs: jobs::Jobs,
    config: config::Jobs,
    log_filter: Option<LogFilter>,
    /// Tells this process from others.
    process: String,
    is_connected: bool,
    /// There may be something to do.
    ask: bool,
    /// Nothing is asked or told before.
    not_before: Option<Instant>,
    /// The last request was not answered.
    is_silent: bool,
    current: Option<Current>,
    work: JoinSet<Outcome>,
}

/// The execution that is worked on.
struct Current {
    job: String,
    version: u64,
    mismatches: u8,
    step: Step,
}

impl Jobs {
    pub(super) fn new(thing: &str, config: &config::Jobs, log_filter: Option<LogFilter>) -> Self {
        let process = token_prefix();
        Self {
            jobs: jobs::Jobs::new(thing, &process),
            config: config.clone(),
            log_filter,
            process,
            is_connected: false,
            ask: true,
            not_before: None,
            is_silent: false,
            current: None,
            work: JoinSet::new(),
        }
    }

    /// Asks for something to do, or says how it stands, if there is reason for it and nothing is under way.
    fn go_on(&mut self, means: &Means) {
        let now = Instant::now();
        if !self.is_connected || self.jobs.is_waiting() || self.not_before.is_some_and(|then| now < then) {
            return;
        }
        let (topic, payload) = match &self.current {
            None if self.ask => self.jobs.start_next(now),
            None => return,
            Some(Current { job, version, step, .. }) => match step {
                Step::Announce(operation, details) => {
                    let limit = Some(limit(operation) + MARGIN);
                    self.jobs.update(job, *version, Status::InProgress, details, limit, now)
                }
                Step::Work(_) => return,
                Step::Tell(status, details) => self.jobs.update(job, *version, *status, details, None, now),
            },
        };
        // Not through the outbox: after a reconnect it is asked and told again.
        if means.link.publish(&topic, payload).is_err() {
            self.jobs.withdraw();
        }
    }

    fn started(&mut self, execution: Execution, means: &Means) {
        let Execution { job_id, status_details, version_number, job_document, .. } = execution;
        let step = match Operation::of(&job_document, &self.config) {
            Err(unfit) => Step::Tell(Status::Rejected, reason(&unfit.to_string())),
            Ok(operation) => Step::first(operation, &status_details, &self.process),
        };
        if let Step::Announce(operation, _) = &step {
            means.tell(Report::JobStarted { job: job_id.clone(), operation: operation.name() });
        }
        self.current = Some(Current { job: job_id, version: version_number, mismatches: 0, step });
    }

    /// The service knows that `operation` begins.
    fn work(&mut self, job: &str, operation: &Operation, means: &mut Means) -> Option<Step> {
        match operation {
            Operation::LogLevel(level) => {
                let set = self.log_filter.as_mut().map_or_else(
                    || Err("this agent's log cannot be changed while it runs".to_owned()),
                    |filter| filter(level),
                );
                return Some(match set {
                    Ok(()) => Step::Tell(Status::Succeeded, Details::new()),
                    Err(problem) => Step::Tell(Status::Failed, reason(&problem)),
                });
            }
            Operation::RestartAgent => means.restart(),
            Operation::Reboot => {
                let (argv, job, wake) = (self.config.reboot_argv.clone(), job.to_owned(), means.waker());
                self.work.spawn(async move {
                    let mut outcome = command::run(&argv, REBOOT_LIMIT, &job).await;
                    if outcome.problem.is_none() {
                        tokio::time::sleep(REBOOT_PATIENCE).await;
                        let seconds = REBOOT_PATIENCE.as_secs();
                        outcome.problem = Some(format!("the machine still runs after {seconds} s"));
                    }
                    wake.notify_one();
                    outcome
                });
            }
            Operation::Run(command) => {
                let (command, job, wake) = (command.clone(), job.to_owned(), means.waker());
                self.work.spawn(async move {
                    let outcome = command::run(&command.argv, command.limit, &job).await;
                    wake.notify_one();
                    outcome
                });
            }
        }
        None
    }

    /// The service has taken the last update.
    fn updated(&mut self, version: Option<u64>, means: &mut Means) {
        let Some(mut current) = self.current.take() else { return };
        current.version = version.unwrap_or(current.version + 1);
        current.mismatches = 0;
        current.step = match current.step {
            Step::Announce(operation, _) => {
                self.work(&current.job, &operation, means).unwrap_or(Step::Work(operation))
            }
            Step::Tell(status, details) => {
                let reason = details.get("reason").cloned();
                means.tell(Report::JobEnded { job: current.job, status, reason });
                self.ask = true;
                return;
            }
            step @ Step::Work(_) => step,
        };
        self.current = Some(current);
    }

    fn rejected(&mut self, code: &str, message: &str, state: Option<(Status, u64)>, means: &Means) {
        if matches!(code, "RequestThrottled" | "InternalError") {
            self.not_before = Some(Instant::now() + PAUSE);
            means.tell(Report::JobsFailed { problem: format!("{code}: {message}; it is tried again") });
            return;
        }
        let Some(current) = &mut self.current else {
            self.ask = false;
            means.tell(Report::JobsFailed { problem: format!("start-next rejected, {code}: {message}") });
            return;
        };
        if let Some((Status::InProgress, version)) = state
            && current.mismatches < MISMATCHES
        {
            // Somebody else updated it, as the console can.
            current.version = version;
            current.mismatches += 1;
            return;
        }
        // It was canceled, deleted, or taken for timed out.
        let problem =
            format!("the service no longer wants to know of job {}, {code}: {message}", current.job);
        means.tell(Report::JobsFailed { problem });
        self.current = None;
    }

    fn ended(&mut self, outcome: Outcome) {
        let Some(current) = &mut self.current else { return };
        let status = if outcome.problem.is_none() { Status::Succeeded } else { Status::Failed };
        let mut details = outcome.problem.as_deref().map(reason).unwrap_or_default();
        // AWS takes no empty value.
        if !outcome.output.is_empty() {
            details.insert("output".to_owned(), outcome.output);
        }
        current.step = Step::Tell(status, details);
    }
}

impl Feature for Jobs {
    fn filters(&self) -> Vec<String> {
        self.jobs.filters()
    }

    fn connected(&mut self, means: &mut Means) {
        self.jobs.connected();
        self.is_connected = true;
        self.ask = true;
        self.not_before = None;
        self.go_on(means);
    }

    fn disconnected(&mut self, _means: &mut Means) {
        self.is_connected = false;
    }

    fn message(&mut self, message: &Message, means: &mut Means) {
        let Some(incoming) = self.jobs.incoming(&message.topic, &message.payload) else { return };
        self.is_silent = false;
        match incoming {
            Incoming::Changed => self.ask = true,
            Incoming::Started(execution) => {
                self.ask = false;
                if let Some(execution) = execution {
                    self.started(*execution, means);
                }
            }
            Incoming::Updated { version } => self.updated(version, means),
            Incoming::Rejected { code, message, state } => self.rejected(&code, &message, state, means),
            Incoming::Damaged { problem } => means.tell(Report::JobsFailed { problem }),
        }
        self.go_on(means);
    }

    fn tick(&mut self, means: &mut Means) {
        while let Some(outcome) = self.work.try_join_next() {
            // A task of ours does not panic; if it did, the service's own limit ends the job.
            outcome.into_iter().for_each(|outcome| self.ended(outcome));
        }
        if self.jobs.is_expired(Instant::now()) {
            self.not_before = Some(Instant::now() + PAUSE);
            if !std::mem::replace(&mut self.is_silent, true) {
                let problem = format!(
                    "no answer within {ANSWER_LIMIT:?}; does the policy allow publishing to the jobs topics, and does this server have jobs?"
                );
                means.tell(Report::JobsFailed { problem });
            }
        }
        self.go_on(means);
    }

    fn stop(&mut self, means: &mut Means) {
        // What goes with this process is done again by the next one, or cannot be.
        if let Some(current) = &mut self.current
            && let Step::Work(Operation::Run(command)) = &current.step
            && !command.repeatable
        {
            let why = "the agent was told to end while the command ran, and killed it";
            current.step = Step::Tell(Status::Failed, reason(why));
            self.go_on(means);
        }
        self.work.abort_all();
    }
}

/// How long it may take here.
fn limit(operation: &Operation) -> Duration {
    match operation {
        Operation::Reboot => REBOOT_LIMIT + REBOOT_PATIENCE,
        Operation::Run(command) => command.limit,
        Operation::RestartAgent | Operation::LogLevel(_) => REBOOT_LIMIT,
    }
}
