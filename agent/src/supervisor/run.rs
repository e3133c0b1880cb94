//! The daemon: telemetry out, commands and the shadow in, until somebody says stop.

use std::pin::pin;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::{Agent, Error, Report};
use crate::mqtt::{self, Acknowledgement, Event, Link, Message, Receipt};
use crate::shadow::{ANSWER_LIMIT, Incoming, Properties, Shadow};
use crate::telemetry::Sample;

/// How long messages on their way may take when the agent is told to stop.
pub const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);
/// After this long without acknowledgement a message is told of; it stays in the queue.
pub(super) const ACKNOWLEDGEMENT_LIMIT: Duration = Duration::from_secs(3600);
/// How often it is looked for answers that did not come.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
/// The one property that this agent knows.
const LED: &str = "led";

/// What only exists while the agent runs.
struct Running {
    agent: Agent,
    link: Link,
    shadow: Option<Shadow>,
    /// The state is to be reported, and the queue had no room for it yet.
    report_due: bool,
    next_sequence: u64,
    receipts: JoinSet<(Option<u64>, Result<Acknowledgement, mqtt::Error>)>,
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
        let (link, mut events) = Link::start(self.link_options(filters), self.connector.clone())?;
        let mut telemetry = interval(self.config.telemetry.interval);
        telemetry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut housekeeping = interval(HOUSEKEEPING);
        housekeeping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut shutdown = pin!(shutdown);

        let receipts = JoinSet::new();
        let mut running =
            Running { agent: self, link, shadow, report_due: false, next_sequence: 0, receipts };
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                event = events.next() => running.on_event(event.ok_or(Error::LinkEnded)?),
                Some(Ok((sequence, result))) = running.receipts.join_next() => {
                    running.agent.on_receipt(sequence, result);
                }
                _ = telemetry.tick() => running.publish_telemetry(),
                _ = housekeeping.tick() => running.keep_house(),
            }
        }
        // The link must not wait for a reader that does not read any more.
        drop(events);
        running.stop().await;
        Ok(())
    }

    fn on_receipt(&mut self, sequence: Option<u64>, result: Result<Acknowledgement, mqtt::Error>) {
        match (sequence, result) {
            (Some(sequence), Ok(acknowledgement)) => {
                self.tell(Report::TelemetryAcknowledged { sequence, acknowledgement });
            }
            // The shadow has answers of its own.
            (None, Ok(_)) => {}
            (_, Err(reason)) => self.tell(Report::NotDelivered { reason }),
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
        }
    }

    fn on_message(&mut self, message: Message) {
        if let Some(shadow) = &mut self.shadow
            && shadow.is_about(&message.topic)
        {
            if let Some(incoming) = shadow.incoming(&message.topic, &message.payload, Instant::now()) {
                self.on_shadow(incoming);
            }
        } else {
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
        let published = self.link.publish(topic, payload);
        self.report_due = published.is_err();
        if self.report_due {
            shadow.withdraw();
        } else {
            self.keep(None, published);
        }
    }

    fn publish_telemetry(&mut self) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let payload = Sample::take(sequence).to_json();
        let published = self.link.publish(&self.agent.names.telemetry, payload);
        self.keep(Some(sequence), published);
    }

    fn keep(&mut self, sequence: Option<u64>, published: Result<Receipt, mqtt::Error>) {
        match published {
            Ok(receipt) => {
                self.receipts
                    .spawn(async move { (sequence, receipt.acknowledged(ACKNOWLEDGEMENT_LIMIT).await) });
            }
            Err(reason) => self.agent.tell(Report::NotDelivered { reason }),
        }
    }

    fn keep_house(&mut self) {
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
                // Every receipt is decided now.
                while let Some(receipt) = self.receipts.join_next().await {
                    if let Ok((Some(sequence), Ok(acknowledgement))) = receipt {
                        self.agent.tell(Report::TelemetryAcknowledged { sequence, acknowledgement });
                    }
                }
                self.agent.tell(Report::Stopped { unacknowledged });
            }
            Err(reason) => self.agent.tell(Report::NotDelivered { reason }),
        }
    }
}

/// Tells the updates of this process from those of others, and of its own past.
fn token_prefix() -> String {
    let random = getrandom::u32().unwrap_or_else(|_| std::process::id());
    format!("{random:08x}")
}
