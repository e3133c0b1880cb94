//! The daemon: its features over one link, until somebody says stop.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};

use super::feature::{Features, Means, Reports, TICK};
use super::{Agent, Error, Report};
use crate::config::Subject;
use crate::gpio::Lines;
use crate::mqtt::Link;
use crate::outbox::Outbox;

/// How long messages on their way may take when the agent is told to stop.
pub const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);
/// After this long without acknowledgement a message is told of; it stays in the queue.
pub(super) const ACKNOWLEDGEMENT_LIMIT: Duration = Duration::from_secs(3600);
/// How long the outbox may take for its last commit.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// Why the agent has ended in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum End {
    /// It was told to.
    Stopped,
    /// It is to be started again.
    Restart,
}

impl Agent {
    /// Runs until `shutdown` comes, or a job wants it to be started again, through any number of connections. What is on its way then has
    /// [`SHUTDOWN_LIMIT`] to arrive.
    ///
    /// # Errors
    /// When the link cannot be started or its thread has died; never because of the network.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> Result<End, Error> {
        self.tell_start();
        let wake = Arc::<Notify>::default();
        let lines = self.lines(&wake)?;
        let (outbox, feed, mut notices) = Outbox::open(self.config.outbox.clone())?;
        let mut features = Features::of(&mut self, &outbox)?;
        let options = self.link_options(features.filters());
        let (link, mut events) = Link::start_with(options, self.connector.clone(), Some(feed))?;
        let (mut means, mut told) = Means::new(link, outbox, lines, wake);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut shutdown = pin!(shutdown);
        while !means.is_to_restart() {
            tokio::select! {
                () = &mut shutdown => break,
                event = events.next() => features.event(event.ok_or(Error::LinkEnded)?, &mut means),
                notice = notices.next() => means.tell(Report::Outbox(notice)),
                Some(report) = told.recv() => self.tell(report),
                _ = ticks.tick() => {
                    features.tick(&mut means);
                    means.tell(Report::Pulse(means.pulse()));
                }
                () = means.woken() => features.tick(&mut means),
                config = Self::next_configuration(&mut self.tuned) => {
                    // Whoever sent it has looked at its names already.
                    if let Ok(names) = config.names(&Subject::of(&self.identity)) {
                        features.tuned(&config, &names);
                    }
                }
            }
        }
        let end = if means.is_to_restart() { End::Restart } else { End::Stopped };
        features.stop(&mut means);
        // The link must not wait for a reader that does not read any more.
        drop(events);
        self.stop(means, told).await;
        Ok(end)
    }

    fn lines(&mut self, wake: &Arc<Notify>) -> Result<Lines, Error> {
        let wake = wake.clone();
        let mut lines = Lines::open(&self.config.lines, move || wake.notify_one())?;
        for (property, line) in self.lines.drain(..) {
            lines.replace(&property, line);
        }
        Ok(lines)
    }

    async fn stop(&mut self, means: Means, mut told: Reports) {
        let ended = means.link.shutdown(SHUTDOWN_LIMIT).await;
        // What was acknowledged is known by now; the rest waits in the outbox.
        tokio::task::yield_now().await;
        while let Ok(report) = told.try_recv() {
            self.tell(report);
        }
        self.tell(match ended {
            Ok(unacknowledged) => Report::Stopped { unacknowledged },
            Err(reason) => Report::NotDelivered { reason },
        });
        if let Err(reason) = means.outbox.close(CLOSE_LIMIT).await {
            self.tell(Report::NotTaken { reason });
        }
    }
}
