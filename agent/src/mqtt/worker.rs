//! What the thread of the link does: connect, serve, wait, and again.

use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::backoff::Backoff;
use super::connection::{self, Opened, Outcome, Sender};
use super::outbound::{Entry, Origin, Outbound, Settled};
use super::rivals::Rivals;
use super::{Disconnect, Event, Message, Options};
use crate::dial::Dialler;
use crate::outbox;
use crate::tls::Connector;

/// How long DISCONNECT may take to leave.
const DISCONNECT_LIMIT: Duration = Duration::from_millis(500);
/// How long a connection must live before a message is sent on it that may be what the server cuts connections for: a
/// connection that is cut before was cut for something else.
const QUIET: Duration = Duration::from_secs(1);
/// How long nothing is sent after the server said that it does not take a message now.
const LATER: Duration = Duration::from_secs(1);

pub(super) struct Worker {
    options: Options,
    connector: Connector,
    dialler: Dialler,
    stop: Stop,
    events: mpsc::Sender<Event>,
    feed: Feed,
    rivals: Rivals,
}

/// When to stop; `None` as long as nobody wants it.
#[derive(Clone)]
struct Stop(watch::Receiver<Option<Instant>>);

/// The messages, and what turns them into PUBLISH packets of the current connection.
struct Feed {
    in_flight: usize,
    messages: mpsc::UnboundedReceiver<Entry>,
    /// Messages on disk, if there is an outbox.
    stored: Option<outbox::Feed>,
    outbound: Outbound,
    notices: JoinSet<(u64, Outcome)>,
    /// Nothing is sent before.
    paused_until: Instant,
    events: mpsc::Sender<Event>,
}

impl Worker {
    pub(super) fn new(
        options: Options,
        connector: Connector,
        dialler: Dialler,
        messages: mpsc::UnboundedReceiver<Entry>,
        stored: Option<outbox::Feed>,
        stop: watch::Receiver<Option<Instant>>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let in_flight = usize::from(options.in_flight);
        let (outbound, notices) = (Outbound::default(), JoinSet::new());
        let (paused_until, of_feed) = (Instant::now(), events.clone());
        let feed = Feed { in_flight, messages, stored, outbound, notices, paused_until, events: of_feed };
        let rivals = Rivals::default();
        Self { options, connector, dialler, stop: Stop(stop), events, feed, rivals }
    }

    /// Runs until the link is stopped. Returns the number of messages without acknowledgement.
    pub(super) async fn run(mut self) -> usize {
        let mut backoff = Backoff::new(self.options.reconnect);
        let mut stop = self.stop.clone();
        for attempt in 1.. {
            let started = Instant::now();
            let opened = tokio::select! {
                opened = connection::open(&self.options, &self.connector, &self.dialler) => opened,
                _ = stop.wanted() => break,
            };
            // `last`: when CONNECT had been sent, or the attempt began if it never was.
            let (reason, lived, last) = match opened {
                Ok(opened) => {
                    let connected = Instant::now();
                    match self.serve(attempt, opened).await {
                        Some(reason) => (reason, connected.elapsed(), connected),
                        None => break,
                    }
                }
                Err(reason) if reason.is_before_connect() => (reason, Duration::ZERO, started),
                Err(reason) => (reason, Duration::ZERO, Instant::now()),
            };
            let wait = backoff.after(lived);
            let next = (Instant::now() + wait).max(last + self.options.reconnect.first);
            let retry_in = next.saturating_duration_since(Instant::now());
            self.feed.take_waiting();
            let unacknowledged = self.feed.unacknowledged();
            send(&self.events, Event::Disconnected { reason, retry_in, unacknowledged }).await;
            tokio::select! {
                () = sleep_until(next.into()) => {}
                _ = stop.wanted() => break,
            }
        }
        self.feed.take_waiting();
        self.feed.unacknowledged()
    }

    /// Uses a connection until it ends. `None`: because the link was stopped.
    async fn serve(&mut self, attempt: u64, opened: Opened) -> Option<Disconnect> {
        let Opened { mut driver, sender, handshake, session_present } = opened;
        let (events, connected) = (&self.events, Instant::now());
        let mut subscribed = false;
        let ended = {
            let deliver = async |message: Message| send(events, Event::Message(message)).await;
            let mut drive = pin!(driver.run(deliver));
            let feed = async {
                let refused_filters = tokio::select! {
                    refused = sender.subscribe(&self.options.filters) => refused?,
                    _ = self.stop.wanted() => return Ok(()),
                };
                subscribed = true;
                send(events, Event::Connected { attempt, handshake, refused_filters, session_present }).await;
                self.feed.run(&sender, &mut self.stop).await;
                Ok::<(), Disconnect>(())
            };
            // The driver first: when a connection breaks, it knows why, and the rest only notices.
            tokio::select! {
                biased;
                ended = &mut drive => ended,
                stopped = feed => match stopped {
                    Err(reason) => Some(reason),
                    Ok(()) => {
                        sender.disconnect().await;
                        // Not the end of anything: the goodbye is a courtesy.
                        let _ = timeout(DISCONNECT_LIMIT, &mut drive).await;
                        None
                    }
                },
            }
        };
        // The notices resolve when the connection's state is dropped; some may tell of a PUBACK that came last.
        drop((driver, sender));
        let cut = ended.as_ref().is_some_and(Disconnect::may_be_for_a_message);
        self.feed.settle_all().await;
        let idle = subscribed && self.feed.outbound.in_flight() == 0;
        self.feed.connection_ended(cut).await;
        match ended {
            Some(Disconnect::ClosedByServer) => match self.rivals.closed(connected, idle) {
                Some(times) => Some(Disconnect::TakenOver { times }),
                None => ended,
            },
            _ => ended,
        }
    }
}

impl Feed {
    /// Sends what is published until the link is stopped and everything on its way is acknowledged, or its time is up.
    async fn run(&mut self, sender: &Sender, stop: &mut Stop) {
        let mut deadline = None;
        let quiet_until = Instant::now() + QUIET;
        loop {
            let now = Instant::now();
            let quiet_until = if self.outbound.is_suspicious() {
                quiet_until.max(self.paused_until)
            } else {
                self.paused_until
            };
            let quiet = now < quiet_until;
            while !quiet && self.may_send() {
                if !self.outbound.has_waiting() && deadline.is_none() {
                    self.take_stored();
                }
                let Some((number, entry)) = self.outbound.send_next() else { break };
                match sender.publish(&entry.topic, entry.payload.clone()).await {
                    Some(notice) => {
                        self.notices.spawn(async move { (number, notice.outcome().await) });
                    }
                    // The connection is ending; the driver knows why.
                    None => return std::future::pending().await,
                }
            }
            let done = deadline.is_some() && self.outbound.unfinished() == 0;
            if done || deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return;
            }
            let until = deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            let until = if quiet { until.min(quiet_until) } else { until };
            tokio::select! {
                Some(entry) = self.messages.recv() => self.outbound.push(entry),
                Some(notice) = self.notices.join_next() => {
                    self.settle(notice).await;
                    while let Some(notice) = self.notices.try_join_next() {
                        self.settle(notice).await;
                    }
                }
                () = changed(self.stored.as_ref()) => {}
                wanted = stop.wanted(), if deadline.is_none() => {
                    deadline = Some(wanted);
                    self.take_waiting();
                }
                () = sleep_until(until.into()) => {}
            }
        }
    }

    /// Whether the window has a place. What the server has, but would be sent again if the process died now, counts.
    fn may_send(&self) -> bool {
        let in_flight = self.outbound.in_flight();
        if in_flight == 0 {
            // Removals that cannot be committed must not stop what has nothing to do with the outbox.
            return self.outbound.has_waiting() || self.unsettled() < self.in_flight;
        }
        !self.outbound.is_suspicious()
            && in_flight + self.unsettled() < self.in_flight
            && self.outbound.has_room()
    }

    fn unsettled(&self) -> usize {
        self.stored.as_ref().map_or(0, outbox::Feed::unsettled)
    }

    fn take_stored(&mut self) {
        if let Some(stored) = self.stored.as_ref().and_then(outbox::Feed::take) {
            self.outbound.push(Entry::stored(stored));
        }
    }

    async fn settle(&mut self, notice: Result<(u64, Outcome), tokio::task::JoinError>) {
        let Ok((number, outcome)) = notice else { return };
        match outcome {
            Outcome::Delivered => {
                if let Settled::Delivered(stored, attempts) = self.outbound.acknowledged(number)
                    && let Some(feed) = &self.stored
                {
                    feed.delivered(stored.number, attempts);
                }
            }
            Outcome::Lost => {}
            Outcome::Later => {
                self.outbound.put_back(number);
                self.paused_until = Instant::now() + LATER;
            }
            Outcome::Refused(problem) => {
                if let Some(entry) = self.outbound.refused(number) {
                    self.give_up(entry, problem.to_owned()).await;
                }
            }
        }
    }

    /// The connection is gone: what it still told of its messages.
    async fn settle_all(&mut self) {
        while let Some(notice) = self.notices.join_next().await {
            self.settle(notice).await;
        }
    }

    async fn connection_ended(&mut self, cut: bool) {
        if let Some(guilty) = self.outbound.connection_lost(cut) {
            let problem = format!(
                "the server cut {} connections when it got this message; does the policy allow its topic?",
                guilty.cuts
            );
            self.give_up(guilty, problem).await;
        }
    }

    /// Tells of a message in memory that the server does not take; one of the outbox goes to its quarantine.
    async fn give_up(&mut self, entry: Entry, problem: String) {
        match (entry.origin, &self.stored) {
            (Origin::Outbox(stored), Some(feed)) => feed.quarantine(stored, problem),
            _ => send(&self.events, Event::Undeliverable { topic: entry.topic }).await,
        }
    }

    /// What the server does not have, in memory and on disk.
    fn unacknowledged(&self) -> usize {
        self.outbound.in_memory() + self.stored.as_ref().map_or(0, outbox::Feed::waiting)
    }

    /// Messages that were published before the stop, and not looked at yet.
    fn take_waiting(&mut self) {
        while let Ok(entry) = self.messages.try_recv() {
            self.outbound.push(entry);
        }
    }
}

/// Waits until the outbox may have something new.
async fn changed(stored: Option<&outbox::Feed>) {
    match stored {
        Some(feed) => feed.changed().await,
        None => std::future::pending().await,
    }
}

impl Stop {
    /// Waits until the link is to stop, and tells by when.
    async fn wanted(&mut self) -> Instant {
        match self.0.wait_for(Option::is_some).await {
            Ok(deadline) => deadline.unwrap_or_else(Instant::now),
            // The link was dropped: at once.
            Err(_) => Instant::now(),
        }
    }
}

/// A reader that has gone away misses nothing that it wants.
async fn send(events: &mpsc::Sender<Event>, event: Event) {
    let _ = events.send(event).await;
}
