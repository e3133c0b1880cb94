//! The daemon: telemetry out, commands and the shadow in, until somebody says stop.

use std::pin::pin;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::{Agent, Error, Pulse, Report};
use crate::local::{self, Local};
use crate::mqtt::{self, Acknowledgement, Event, Link, Message};
use crate::outbox::{Outbox, Refusal};
use crate::shadow::{ANSWER_LIMIT, Incoming, Properties, Shadow};
use crate::telemetry::Sample;

/// How long messages on their way may take when the agent is told to stop.
pub const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);
/// After this long without acknowledgement a message is told of; it stays in the queue.
pub(super) const ACKNOWLEDGEMENT_LIMIT: Duration = Duration::from_secs(3600);
/// How long the outbox may take for its last commit.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
/// How often it is looked for answers that did not come.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
/// The one property that this agent knows.
const LED: &str = "led";

/// What only exists while the agent runs.
struct Running {
    agent: Agent,
    link: Link,
    outbox: Outbox,
    local: Option<Local>,
    shadow: Option<Shadow>,
    /// The state is to be reported, and the queue had no room for it yet.
    report_due: bool,
    next_sequence: u64,
    receipts: JoinSet<(u64, Delivery)>,
}

/// What became of a telemetry message.
enum Delivery {
    Acknowledged(Acknowledgement),
    NotTaken(Refusal),
    NotAcknowledged(mqtt::Error),
}

impl Agent {
    /// Runs until `shutdown` comes, through any number of connections. What is on its way then has
    /// [`SHUTDOWN_LIMIT`] to arrive.
    ///
    /// # Errors
    /// When the link cannot be started or its thread has died; never because of the network.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        self.tell_start();
        let shadow = self.config.shadow.enabled.then(|| Shadow::new(&self.names.thing, &token_prefix()));
        let mut filters = vec![self.names.commands.clone()];
        filters.extend(shadow.iter().flat_map(Shadow::filters));
        filters.extend(self.names.local.subscribe.iter().cloned());
        let (outbox, feed, mut notices) = Outbox::open(self.config.outbox.clone())?;
        let local = self.listen(&outbox)?;
        let (link, mut events) =
            Link::start_with(self.link_options(filters), self.connector.clone(), Some(feed))?;
        let mut telemetry = interval(self.config.telemetry.interval);
        telemetry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut housekeeping = interval(HOUSEKEEPING);
        housekeeping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut shutdown = pin!(shutdown);

        let receipts = JoinSet::new();
        let mut running = Running {
            agent: self,
            link,
            outbox,
            local,
            shadow,
            report_due: false,
            next_sequence: 0,
            receipts,
        };
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                event = events.next() => running.on_event(event.ok_or(Error::LinkEnded)?),
                notice = notices.next() => running.agent.tell(Report::Outbox(notice)),
                Some(Ok((sequence, delivery))) = running.receipts.join_next() => {
                    running.agent.on_delivery(sequence, delivery);
                }
                _ = telemetry.tick() => running.publish_telemetry(),
                _ = housekeeping.tick() => running.keep_house(),
            }
        }
        // Who publishes now is refused, and keeps it.
        drop(running.local.take());
        // The link must not wait for a reader that does not read any more.
        drop(events);
        running.stop().await;
        Ok(())
    }

    /// Opens the listener for programs on this machine, if one is configured.
    fn listen(&mut self, outbox: &Outbox) -> Result<Option<Local>, Error> {
        let config = &self.config.local;
        if config.socket.is_none() && config.listen.is_none() {
            return Ok(None);
        }
        let mut options = local::Options::default();
        options.socket.clone_from(&config.socket);
        options.listen = config.listen;
        options.clients = config.clients.into();
        options.topics = self.names.local.clone();
        let local = Local::start(options, outbox.clone())?;
        self.tell(Report::Listening { socket: self.config.local.socket.clone(), address: local.address() });
        Ok(Some(local))
    }

    fn on_delivery(&mut self, sequence: u64, delivery: Delivery) {
        match delivery {
            Delivery::Acknowledged(acknowledgement) => {
                self.tell(Report::TelemetryAcknowledged { sequence, acknowledgement });
            }
            Delivery::NotTaken(reason) => self.tell(Report::NotTaken { reason }),
            Delivery::NotAcknowledged(reason) => self.tell(Report::NotDelivered { reason }),
        }
    }
}

impl Running {
    fn on_event(&mut self, event: Event) {
        match event {
            Event::Connected { attempt, handshake, refused_filters } => {
                self.agent.tell(Report::Connected { attempt, handshake });
                for filter in refused_filters {
                    self.agent.tell(Report::FilterRefused { filter });
                }
                // If the cloud desired something meanwhile, this report is answered with a delta.
                self.shadow.as_mut().map(Shadow::connected);
                self.report_state();
            }
            Event::Disconnected { reason, retry_in, unacknowledged } => {
                self.agent.tell(Report::Disconnected { reason, retry_in, unacknowledged });
            }
            Event::Message(message) => self.on_message(message),
            Event::Undeliverable { topic } => self.agent.tell(Report::Undeliverable { topic }),
        }
    }

    fn on_message(&mut self, message: Message) {
        if let Some(shadow) = &mut self.shadow
            && shadow.is_about(&message.topic)
        {
            if let Some(incoming) = shadow.incoming(&message.topic, &message.payload, Instant::now()) {
                self.on_shadow(incoming);
            }
            return;
        }
        if let Some(local) = &self.local
            && !local.deliver(&message)
        {
            self.agent.tell(Report::NotHandedDown { topic: message.topic.clone() });
        }
        if rumqttc::matches(&message.topic, &self.agent.names.commands) {
            self.agent.tell(Report::Command(message));
        }
    }

    fn on_shadow(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Accepted { version, took } => {
                self.agent.tell(Report::ShadowAccepted { version, took });
            }
            Incoming::Rejected { code, message } => {
                let problem = format!("update rejected with code {code}: {message}");
                self.agent.tell(Report::ShadowFailed { problem });
            }
            Incoming::Delta { version, desired } => self.on_desired(version, &desired),
            Incoming::Damaged { problem } => self.agent.tell(Report::ShadowFailed { problem }),
        }
    }

    fn on_desired(&mut self, version: u64, desired: &Properties) {
        for (name, value) in desired {
            match (name.as_str(), value) {
                (LED, Value::Bool(on)) => match self.agent.led.set(*on) {
                    Ok(()) => self.agent.tell(Report::LedSwitched { on: *on, version }),
                    Err(error) => {
                        let problem = format!("the led line cannot be switched: {error}");
                        self.agent.tell(Report::DesireIgnored { problem });
                    }
                },
                (LED, _) => {
                    let problem = "desired `led` is neither true nor false".to_owned();
                    self.agent.tell(Report::DesireIgnored { problem });
                }
                (name, _) => {
                    let problem = format!("desired {name:?} is a property that this agent does not have");
                    self.agent.tell(Report::DesireIgnored { problem });
                }
            }
        }
        // Only if something was ours: an unknown wish would be answered by the same delta for ever.
        if matches!(desired.get(LED), Some(Value::Bool(_))) {
            self.report_state();
        }
    }

    fn report_state(&mut self) {
        let Some(shadow) = &mut self.shadow else { return };
        let state = Properties::from_iter([(LED.to_owned(), json!(self.agent.led.is_on()))]);
        let (topic, payload) = shadow.report(&state, Instant::now());
        // Not through the outbox: a state of yesterday is worth nothing, and after a reconnect it is reported anyway.
        // The shadow has answers of its own, so nobody waits for the acknowledgement.
        self.report_due = self.link.publish(topic, payload).is_err();
        if self.report_due {
            shadow.withdraw();
        }
    }

    fn publish_telemetry(&mut self) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let payload = Sample::take(sequence).to_json();
        let (outbox, topic) = (self.outbox.clone(), self.agent.names.telemetry.clone());
        self.receipts.spawn(async move {
            let delivery = match outbox.publish(&topic, payload).await {
                Err(reason) => Delivery::NotTaken(reason),
                Ok(receipt) => match receipt.acknowledged(ACKNOWLEDGEMENT_LIMIT).await {
                    Ok(acknowledgement) => Delivery::Acknowledged(acknowledgement),
                    Err(reason) => Delivery::NotAcknowledged(reason),
                },
            };
            (sequence, delivery)
        });
    }

    fn keep_house(&mut self) {
        self.agent.tell(Report::Pulse(Pulse {
            outbox: self.outbox.status(),
            local_clients: self.local.as_ref().map(Local::clients),
            link_silent_for: self.link.silent_for(),
        }));
        if self.report_due {
            self.report_state();
        }
        self.look_for_silence();
    }

    fn look_for_silence(&mut self) {
        let expired = self.shadow.as_mut().map_or(0, |shadow| shadow.expired(Instant::now()));
        for _ in 0..expired {
            let problem = format!(
                "no answer to an update within {ANSWER_LIMIT:?}; does the policy allow publishing to the shadow's topics, and does this server have shadows?"
            );
            self.agent.tell(Report::ShadowFailed { problem });
        }
    }

    async fn stop(mut self) {
        match self.link.shutdown(SHUTDOWN_LIMIT).await {
            Ok(unacknowledged) => {
                // What was acknowledged is known by now; the rest waits in the outbox.
                tokio::task::yield_now().await;
                while let Some(Ok((sequence, delivery))) = self.receipts.try_join_next() {
                    self.agent.on_delivery(sequence, delivery);
                }
                self.agent.tell(Report::Stopped { unacknowledged });
            }
            Err(reason) => self.agent.tell(Report::NotDelivered { reason }),
        }
        if let Err(reason) = self.outbox.close(CLOSE_LIMIT).await {
            self.agent.tell(Report::NotTaken { reason });
        }
    }
}

/// Tells the updates of this process from those of others, and of its own past.
fn token_prefix() -> String {
    let random = getrandom::u32().unwrap_or_else(|_| std::process::id());
    format!("{random:08x}")
}
