//! What the agent does over its link, in units of one shape: what a unit listens to, and what it does with a message and
//! with time. The loop in `run` knows nothing else of them.

mod commands;
mod credentials;
mod defender;
mod filters;
mod jobs;
mod lines;
mod local;
mod shadow;
mod telemetry;
mod toggles;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc};

use super::{Agent, Cause, Error, Pulse, Report};
use crate::config::{Config, Names};
use crate::gpio::{Lines, Unfit};
use crate::mqtt::{Event, Link, Message};
use crate::outbox::Outbox;

/// How often time passes for a feature that nobody wakes.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// One thing that the agent does over its link.
trait Feature {
    /// The topic filters whose messages it gets, on every connection.
    fn filters(&self) -> Vec<String> {
        Vec::new()
    }

    /// There is a connection, and the subscriptions on it have been answered.
    fn connected(&mut self, _means: &mut Means) {}

    /// The connection is gone.
    fn disconnected(&mut self, _means: &mut Means) {}

    /// A message came that one of its filters fits. It may come more than once.
    fn message(&mut self, _message: &Message, _means: &mut Means) {}

    /// Time has passed: [`TICK`], or less if somebody woke the loop.
    fn tick(&mut self, _means: &mut Means) {}

    /// The configuration has changed, in what may change under a living connection.
    fn tuned(&mut self, _config: &Config, _names: &Names) {}

    /// The agent ends. What is published now still leaves.
    fn stop(&mut self, _means: &mut Means) {}
}

/// What a feature acts with.
pub(super) struct Means {
    pub(super) link: Link,
    pub(super) outbox: Outbox,
    pub(super) lines: Lines,
    /// Lines that a command switched after their shadow desired something else.
    toggled: BTreeSet<String>,
    /// Programs of this machine that are connected; `None`: there is no listener for them.
    local_clients: Option<usize>,
    reports: mpsc::UnboundedSender<Report>,
    wake: Arc<Notify>,
    restart: bool,
}

/// Changes what is logged, as `--log` does it. The text says why it cannot.
pub(super) type LogFilter = Box<dyn FnMut(&str) -> Result<(), String> + Send>;

/// What features tell, tasks of theirs included, in its order.
pub(super) type Reports = mpsc::UnboundedReceiver<Report>;

impl Means {
    /// `wake` is what lets time pass before its turn, and is notified by whatever watches the lines.
    pub(super) fn new(link: Link, outbox: Outbox, lines: Lines, wake: Arc<Notify>) -> (Self, Reports) {
        let (reports, told) = mpsc::unbounded_channel();
        let (toggled, local_clients) = (BTreeSet::new(), None);
        (Self { link, outbox, lines, toggled, local_clients, reports, wake, restart: false }, told)
    }

    /// Tells of something that happened.
    pub(super) fn tell(&self, report: Report) {
        // The loop reads as long as there are features.
        let _ = self.reports.send(report);
    }

    /// Switches a line and tells of it. What it already is it stays, without a word.
    fn switch(&mut self, property: &str, on: bool, cause: Cause) -> Result<(), Unfit> {
        if self.lines.is_on(property) == Some(on) {
            return Ok(());
        }
        self.lines.switch(property, on)?;
        match cause {
            Cause::Shadow { .. } => drop(self.toggled.remove(property)),
            Cause::Toggle => drop(self.toggled.insert(property.to_owned())),
            Cause::Safety => {}
        }
        self.tell(Report::LineSwitched { property: property.to_owned(), on, cause });
        self.wake.notify_one();
        Ok(())
    }

    /// How it stands.
    pub(super) fn pulse(&self) -> Pulse {
        Pulse {
            outbox: self.outbox.status(),
            local_clients: self.local_clients,
            link_silent_for: self.link.silent_for(),
        }
    }

    /// The agent is to end, and to be started again.
    fn restart(&mut self) {
        self.restart = true;
    }

    /// Whether it is.
    pub(super) fn is_to_restart(&self) -> bool {
        self.restart
    }

    /// For a task that lets time pass when it has ended.
    fn waker(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    /// For a task that tells later.
    fn reports(&self) -> mpsc::UnboundedSender<Report> {
        self.reports.clone()
    }

    /// Ends when time is to pass for the features before its turn.
    pub(super) fn woken(&self) -> impl Future<Output = ()> + use<> {
        let wake = self.wake.clone();
        async move { wake.notified().await }
    }
}

/// All features of an agent.
pub(super) struct Features(Vec<(Vec<String>, Box<dyn Feature>)>);

impl Features {
    /// Those that the configuration wants.
    pub(super) fn of(agent: &mut Agent, outbox: &Outbox) -> Result<Self, Error> {
        // What is safe is done first.
        let mut all: Vec<Box<dyn Feature>> = vec![Box::new(lines::Lines::new())];
        all.push(Box::new(telemetry::Telemetry::new(&agent.config.telemetry, &agent.names)));
        all.push(Box::new(commands::Commands::new(&agent.names)));
        if !agent.names.toggles.is_empty() {
            all.push(Box::new(toggles::Toggles::new(&agent.names)));
        }
        if agent.config.shadow.enabled {
            // One that has no lines has nothing to say.
            let names: BTreeSet<_> = agent.config.lines.iter().map(|line| line.shadow.as_deref()).collect();
            for name in names {
                all.push(Box::new(shadow::Shadow::new(&agent.names.thing, name)));
            }
        }
        all.push(Box::new(credentials::Credentials::new(&agent.identity)));
        if let Some(interval) = agent.config.defender {
            all.push(Box::new(defender::Defender::new(&agent.names.thing, interval)));
        }
        if agent.config.jobs.is_wanted() {
            let log_filter = agent.log_filter.take();
            all.push(Box::new(jobs::Jobs::new(&agent.names.thing, &agent.config.jobs, log_filter)));
        }
        if let Some(local) = local::Listener::open(agent, outbox)? {
            all.push(Box::new(local));
        }
        Ok(Self(all.into_iter().map(|feature| (feature.filters(), feature)).collect()))
    }

    /// What must be subscribed to.
    pub(super) fn filters(&self) -> Vec<String> {
        filters::fewest(self.0.iter().flat_map(|(filters, _)| filters.iter().cloned()).collect())
    }

    /// Something happened on the link.
    pub(super) fn event(&mut self, event: Event, means: &mut Means) {
        match event {
            Event::Connected { attempt, handshake, refused_filters, .. } => {
                means.tell(Report::Connected { attempt, handshake });
                for filter in refused_filters {
                    means.tell(Report::FilterRefused { filter });
                }
                self.each(|feature| feature.connected(means));
            }
            Event::Disconnected { reason, retry_in, unacknowledged } => {
                means.tell(Report::Disconnected { reason, retry_in, unacknowledged });
                self.each(|feature| feature.disconnected(means));
            }
            Event::Message(message) => {
                for (filters, feature) in &mut self.0 {
                    if filters.iter().any(|filter| filters::covers(filter, &message.topic)) {
                        feature.message(&message, means);
                    }
                }
            }
            Event::Undeliverable { topic } => means.tell(Report::Undeliverable { topic }),
        }
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, means: &mut Means) {
        self.each(|feature| feature.tick(means));
    }

    /// The configuration has changed.
    pub(super) fn tuned(&mut self, config: &Config, names: &Names) {
        self.each(|feature| feature.tuned(config, names));
    }

    /// The agent ends.
    pub(super) fn stop(&mut self, means: &mut Means) {
        self.each(|feature| feature.stop(means));
    }

    fn each(&mut self, mut act: impl FnMut(&mut dyn Feature)) {
        self.0.iter_mut().for_each(|(_, feature)| act(&mut **feature));
    }
}

/// Tells the requests of this process from those of others, and of its own past.
fn token_prefix() -> String {
    let random = getrandom::u32().unwrap_or_else(|_| std::process::id());
    format!("{random:08x}")
}

/// Something that is due again and again.
#[derive(Debug)]
struct Rhythm {
    interval: Duration,
    next: Option<Instant>,
}

impl Rhythm {
    /// Due at once, and then after each `interval`.
    fn new(interval: Duration) -> Self {
        Self { interval, next: None }
    }

    /// Due after `interval`, and then after each.
    fn later(interval: Duration) -> Self {
        Self { interval, next: Some(Instant::now() + interval) }
    }

    /// Whether it is due. What was missed is not made up for.
    fn is_due(&mut self, now: Instant) -> bool {
        // Ticks come a little early or late; half of one is closer to this one than to the next.
        if self.next.is_some_and(|next| now + TICK / 2 < next) {
            return false;
        }
        let kept = self.next.map(|next| next + self.interval).filter(|next| *next > now);
        self.next = Some(kept.unwrap_or(now + self.interval));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rhythm_keeps_its_step_over_ticks_that_are_early_or_late() {
        let mut rhythm = Rhythm::new(3 * TICK);
        let start = Instant::now();
        let ticks = [0, 998, 2001, 2999, 4002, 5001, 6001, 60_000, 60_900, 62_800, 63_000];
        let due: Vec<u64> = ticks
            .into_iter()
            .filter(|milliseconds| rhythm.is_due(start + Duration::from_millis(*milliseconds)))
            .collect();
        assert_eq!(due, [0, 2999, 6001, 60_000, 62_800]);
    }
}
