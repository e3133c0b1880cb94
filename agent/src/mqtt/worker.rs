//! What the thread of the link does: connect, serve, wait, and again.

use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::backoff::Backoff;
use super::connection::{self, Driver, Sender};
use super::outbound::{Entry, Outbound};
use super::{Disconnect, Event, Message, Options};
use crate::tls::{Connector, Handshake};

/// How long DISCONNECT may take to leave.
const DISCONNECT_LIMIT: Duration = Duration::from_millis(500);

pub(super) struct Worker {
    options: Options,
    connector: Connector,
    stop: Stop,
    events: mpsc::Sender<Event>,
    feed: Feed,
}

/// When to stop; `None` as long as nobody wants it.
#[derive(Clone)]
struct Stop(watch::Receiver<Option<Instant>>);

/// The messages, and what turns them into PUBLISH packets of the current connection.
struct Feed {
    in_flight: usize,
    messages: mpsc::UnboundedReceiver<Entry>,
    outbound: Outbound,
    notices: JoinSet<(u64, bool)>,
}

impl Worker {
    pub(super) fn new(
        options: Options,
        connector: Connector,
        messages: mpsc::UnboundedReceiver<Entry>,
        stop: watch::Receiver<Option<Instant>>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let in_flight = usize::from(options.in_flight);
        let feed = Feed { in_flight, messages, outbound: Outbound::default(), notices: JoinSet::new() };
        Self { options, connector, stop: Stop(stop), events, feed }
    }

    /// Runs until the link is stopped. Returns the number of messages without acknowledgement.
    pub(super) async fn run(mut self) -> usize {
        let mut backoff = Backoff::new(self.options.reconnect);
        let mut stop = self.stop.clone();
        for attempt in 1.. {
            let started = Instant::now();
            let opened = tokio::select! {
                opened = connection::open(&self.options, &self.connector) => opened,
                _ = stop.wanted() => break,
            };
            let (reason, lived) = match opened {
                Ok((driver, sender, handshake)) => {
                    let connected = Instant::now();
                    match self.serve(attempt, driver, sender, handshake).await {
                        Some(reason) => (reason, connected.elapsed()),
                        None => break,
                    }
                }
                Err(reason) => (reason, Duration::ZERO),
            };
            let wait = backoff.after(lived);
            let next = (Instant::now() + wait).max(started + self.options.reconnect.first);
            let retry_in = next.saturating_duration_since(Instant::now());
            self.feed.take_waiting();
            let unacknowledged = self.feed.outbound.len();
            send(&self.events, Event::Disconnected { reason, retry_in, unacknowledged }).await;
            tokio::select! {
                () = sleep_until(next.into()) => {}
                _ = stop.wanted() => break,
            }
        }
        self.feed.take_waiting();
        self.feed.outbound.len()
    }

    /// Uses a connection until it ends. `None`: because the link was stopped.
    async fn serve(
        &mut self,
        attempt: u64,
        mut driver: Driver,
        sender: Sender,
        handshake: Handshake,
    ) -> Option<Disconnect> {
        let events = &self.events;
        let ended = {
            let deliver = async |message: Message| send(events, Event::Message(message)).await;
            let mut drive = pin!(driver.run(deliver));
            let feed = async {
                let refused_filters = tokio::select! {
                    refused = sender.subscribe(&self.options.filters) => refused?,
                    _ = self.stop.wanted() => return Ok(()),
                };
                send(events, Event::Connected { attempt, handshake, refused_filters }).await;
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
        self.feed.connection_ended().await;
        ended
    }
}

impl Feed {
    /// Sends what is published until the link is stopped and everything is acknowledged, or its time is up.
    async fn run(&mut self, sender: &Sender, stop: &mut Stop) {
        let mut deadline = None;
        loop {
            while self.outbound.in_flight() < self.in_flight {
                let Some((number, entry)) = self.outbound.send_next() else { break };
                match sender.publish(&entry.topic, entry.payload.clone()).await {
                    Some(notice) => {
                        self.notices.spawn(async move { (number, notice.acknowledged().await) });
                    }
                    // The connection is ending; the driver knows why.
                    None => return std::future::pending().await,
                }
            }
            let done = deadline.is_some() && self.outbound.len() == 0;
            if done || deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return;
            }
            let until = deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            tokio::select! {
                Some(entry) = self.messages.recv() => self.outbound.push(entry),
                Some(notice) = self.notices.join_next() => self.settle(notice),
                wanted = stop.wanted(), if deadline.is_none() => {
                    deadline = Some(wanted);
                    self.take_waiting();
                }
                () = sleep_until(until.into()) => {}
            }
        }
    }

    fn settle(&mut self, notice: Result<(u64, bool), tokio::task::JoinError>) {
        if let Ok((number, true)) = notice {
            self.outbound.acknowledged(number);
        }
    }

    async fn connection_ended(&mut self) {
        while let Some(notice) = self.notices.join_next().await {
            self.settle(notice);
        }
        self.outbound.connection_lost();
    }

    /// Messages that were published before the stop, and not looked at yet.
    fn take_waiting(&mut self) {
        while let Ok(entry) = self.messages.try_recv() {
            self.outbound.push(entry);
        }
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
