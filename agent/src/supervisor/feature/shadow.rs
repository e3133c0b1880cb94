//! The device shadow, and the line that it switches.

use std::time::Instant;

use serde_json::{Value, json};

use super::{Feature, Means};
use crate::mqtt::Message;
use crate::shadow::{self, ANSWER_LIMIT, Incoming, Properties};
use crate::supervisor::Report;

/// The one property that this agent knows.
const LED: &str = "led";

/// The classic shadow of the thing.
pub(super) struct Shadow {
    shadow: shadow::Shadow,
    /// The state is to be reported, and the queue had no room for it yet.
    report_due: bool,
}

impl Shadow {
    pub(super) fn new(thing: &str) -> Self {
        Self { shadow: shadow::Shadow::new(thing, &token_prefix()), report_due: false }
    }

    fn desired(&mut self, version: u64, desired: &Properties, means: &mut Means) {
        for (name, value) in desired {
            match (name.as_str(), value) {
                (LED, Value::Bool(on)) => match means.led.set(*on) {
                    Ok(()) => means.tell(Report::LedSwitched { on: *on, version }),
                    Err(error) => {
                        let problem = format!("the led line cannot be switched: {error}");
                        means.tell(Report::DesireIgnored { problem });
                    }
                },
                (LED, _) => {
                    let problem = "desired `led` is neither true nor false".to_owned();
                    means.tell(Report::DesireIgnored { problem });
                }
                (name, _) => {
                    let problem = format!("desired {name:?} is a property that this agent does not have");
                    means.tell(Report::DesireIgnored { problem });
                }
            }
        }
        // Only if something was ours: an unknown wish would be answered by the same delta for ever.
        if matches!(desired.get(LED), Some(Value::Bool(_))) {
            self.report(means);
        }
    }

    fn report(&mut self, means: &Means) {
        let state = Properties::from_iter([(LED.to_owned(), json!(means.led.is_on()))]);
        let (topic, payload) = self.shadow.report(&state, Instant::now());
        // Not through the outbox: a state of yesterday is worth nothing, and after a reconnect it is reported anyway.
        // The shadow has answers of its own, so nobody waits for the acknowledgement.
        self.report_due = means.link.publish(topic, payload).is_err();
        if self.report_due {
            self.shadow.withdraw();
        }
    }
}

impl Feature for Shadow {
    fn filters(&self) -> Vec<String> {
        self.shadow.filters()
    }

    fn connected(&mut self, means: &mut Means) {
        // If the cloud desired something meanwhile, this report is answered with a delta.
        self.shadow.connected();
        self.report(means);
    }

    fn message(&mut self, message: &Message, means: &mut Means) {
        match self.shadow.incoming(&message.topic, &message.payload, Instant::now()) {
            None => {}
            Some(Incoming::Accepted { version, took }) => {
                means.tell(Report::ShadowAccepted { version, took })
            }
            Some(Incoming::Rejected { code, message }) => {
                let problem = format!("update rejected with code {code}: {message}");
                means.tell(Report::ShadowFailed { problem });
            }
            Some(Incoming::Delta { version, desired }) => self.desired(version, &desired, means),
            Some(Incoming::Damaged { problem }) => means.tell(Report::ShadowFailed { problem }),
        }
    }

    fn tick(&mut self, means: &mut Means) {
        if self.report_due {
            self.report(means);
        }
        for _ in 0..self.shadow.expired(Instant::now()) {
            let problem = format!(
                "no answer to an update within {ANSWER_LIMIT:?}; does the policy allow publishing to the shadow's topics, and does this server have shadows?"
            );
            means.tell(Report::ShadowFailed { problem });
        }
    }
}

/// Tells the updates of this process from those of others, and of its own past.
fn token_prefix() -> String {
    let random = getrandom::u32().unwrap_or_else(|_| std::process::id());
    format!("{random:08x}")
}
