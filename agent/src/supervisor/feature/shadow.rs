//! A device shadow, and the lines that it is of.
//!
//! On each connection the whole shadow is asked for, so that what was desired meanwhile is known whatever was missed.
//! Lines become what is desired; what they are is reported whenever it differs from what was reported last. One request
//! at a time: an input that flutters costs one update for each answer, and a state that lasts is always reported.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Feature, Means, token_prefix};
use crate::gpio::Unfit;
use crate::mqtt::Message;
use crate::shadow::{self, ANSWER_LIMIT, CONFLICT, Incoming, NOT_FOUND, Properties, TOO_MANY};
use crate::supervisor::{Cause, Report};

/// How long it is waited before the same is tried again.
const PAUSE: Duration = Duration::from_secs(30);

/// One shadow of the thing.
pub(super) struct Shadow {
    name: Option<String>,
    shadow: shadow::Shadow,
    is_connected: bool,
    /// The whole shadow is to be asked for.
    ask: bool,
    /// What the service knows of the lines, as far as is known.
    reported: Option<Properties>,
    /// What is being reported, and which desires are withdrawn with it.
    sent: Option<(Properties, Vec<String>)>,
    /// What the cloud desires, as far as is known.
    desired: Properties,
    /// What it desires and does not get, so that it is told once.
    ignored: Properties,
    /// Nothing is reported before.
    not_before: Option<Instant>,
    /// The last request was not answered.
    is_silent: bool,
}

impl Shadow {
    /// The shadow called `name`; without one, the classic one.
    pub(super) fn new(thing: &str, name: Option<&str>) -> Self {
        Self {
            name: name.map(str::to_owned),
            shadow: shadow::Shadow::new(thing, name, &token_prefix()),
            is_connected: false,
            ask: true,
            reported: None,
            sent: None,
            desired: Properties::new(),
            ignored: Properties::new(),
            not_before: None,
            is_silent: false,
        }
    }

    fn lines(&self, means: &Means) -> Properties {
        let lines = means.lines.of_shadow(self.name.as_deref());
        lines.map(|(property, on)| (property.to_owned(), Value::Bool(on))).collect()
    }

    /// Does what is desired, as far as it can be done.
    fn obey(&mut self, version: u64, desired: &Properties, means: &mut Means) {
        for (property, value) in desired {
            // An old wish that a command overruled is no new one.
            let is_old = self.desired.insert(property.clone(), value.clone()).as_ref() == Some(value);
            if is_old && means.toggled.contains(property) {
                continue;
            }
            match self.obey_one(version, property, value, means) {
                Ok(()) => drop(self.ignored.remove(property)),
                Err(problem) if self.ignored.get(property) != Some(value) => {
                    self.ignored.insert(property.clone(), value.clone());
                    means.tell(Report::DesireIgnored { problem: format!("desired: {problem}") });
                }
                Err(_) => {}
            }
        }
    }

    fn obey_one(&self, version: u64, property: &str, value: &Value, means: &mut Means) -> Result<(), String> {
        let lines = self.lines(means);
        let is_on = lines.get(property).ok_or_else(|| Unfit::Unknown(property.to_owned()).to_string())?;
        let on = value.as_bool().ok_or_else(|| format!("{property:?} is to be neither true nor false"))?;
        if *is_on == *value {
            return Ok(());
        }
        means.switch(property, on, Cause::Shadow { version }).map_err(|unfit| unfit.to_string())
    }

    /// Asks or reports, if there is reason for it, and nothing is under way.
    fn go_on(&mut self, means: &mut Means) {
        let now = Instant::now();
        if !self.is_connected || self.shadow.is_waiting() || self.not_before.is_some_and(|then| now < then) {
            return;
        }
        let (topic, payload) = if self.ask {
            self.shadow.get(now)
        } else {
            let state = self.lines(means);
            // A command came after the wish of the shadow, which would turn the line back at once if it stayed.
            let overruled = state.keys().filter(|property| means.toggled.contains(*property)).cloned();
            let (withdrawn, agreed): (Vec<_>, Vec<_>) = overruled.partition(|property| {
                self.desired.get(property).is_some_and(|desired| Some(desired) != state.get(property))
            });
            means.toggled.retain(|property| !agreed.contains(property));
            if withdrawn.is_empty() && self.reported.as_ref() == Some(&state) {
                return;
            }
            let message = self.shadow.report(&state, &withdrawn, now);
            self.sent = Some((state, withdrawn));
            message
        };
        // Not through the outbox: a state of yesterday is worth nothing, and after a reconnect it is reported anyway.
        // The shadow has answers of its own, so nobody waits for the acknowledgement.
        if means.link.publish(&topic, payload).is_err() {
            self.shadow.withdraw();
        }
    }

    fn accepted(&mut self, means: &mut Means) {
        let Some((state, withdrawn)) = self.sent.take() else { return };
        for property in withdrawn {
            self.desired.remove(&property);
            means.toggled.remove(&property);
        }
        self.reported = Some(state);
    }

    fn rejected(&mut self, code: u16, message: &str, means: &mut Means) {
        let sent = self.sent.take();
        match code {
            // Somebody desired something meanwhile, and that is the newest wish.
            CONFLICT => {
                let withdrawn = sent.map(|(_, withdrawn)| withdrawn).unwrap_or_default();
                means.toggled.retain(|property| !withdrawn.contains(property));
                self.ask = true;
            }
            TOO_MANY | 500.. => self.not_before = Some(Instant::now() + PAUSE),
            // It would be rejected again; something else may not be.
            _ => {
                let (state, withdrawn) = sent.unzip();
                means.toggled.retain(|property| !withdrawn.iter().flatten().any(|other| other == property));
                self.reported = state;
            }
        }
        if code != CONFLICT {
            let problem = format!("update rejected with code {code}: {message}");
            means.tell(Report::ShadowFailed { problem });
        }
    }
}

impl Feature for Shadow {
    fn filters(&self) -> Vec<String> {
        self.shadow.filters()
    }

    fn connected(&mut self, means: &mut Means) {
        self.shadow.connected();
        self.is_connected = true;
        self.ask = true;
        self.reported = None;
        self.not_before = None;
        self.go_on(means);
    }

    fn disconnected(&mut self, _means: &mut Means) {
        self.is_connected = false;
    }

    fn message(&mut self, message: &Message, means: &mut Means) {
        let Some(incoming) = self.shadow.incoming(&message.topic, &message.payload, Instant::now()) else {
            return;
        };
        match incoming {
            Incoming::Accepted { version, took } => {
                self.is_silent = false;
                self.accepted(means);
                means.tell(Report::ShadowAccepted { version, took });
            }
            Incoming::Rejected { code, message } => self.rejected(code, &message, means),
            Incoming::Delta { version, desired } => self.obey(version, &desired, means),
            Incoming::Whole { version, desired, reported } => {
                self.ask = false;
                self.desired.retain(|property, _| desired.contains_key(property));
                self.obey(version, &desired, means);
                let lines = self.lines(means);
                self.reported =
                    Some(reported.into_iter().filter(|(name, _)| lines.contains_key(name)).collect());
            }
            Incoming::NoWhole { code, message } => {
                self.ask = false;
                if code != NOT_FOUND {
                    let problem = format!("the shadow cannot be read (code {code}): {message}");
                    means.tell(Report::ShadowFailed { problem });
                }
            }
            Incoming::Damaged { problem } => means.tell(Report::ShadowFailed { problem }),
        }
        self.go_on(means);
    }

    fn tick(&mut self, means: &mut Means) {
        if self.shadow.expired(Instant::now()) > 0 {
            // A policy may let it report and not ask.
            self.not_before = (!self.ask).then(|| Instant::now() + PAUSE);
            self.ask = false;
            if !std::mem::replace(&mut self.is_silent, true) {
                let problem = format!(
                    "no answer within {ANSWER_LIMIT:?}; does the policy allow publishing to the shadow's topics, and does this server have shadows?"
                );
                means.tell(Report::ShadowFailed { problem });
            }
        }
        self.go_on(means);
    }

    fn stop(&mut self, means: &mut Means) {
        // Lines may have gone to their safe state just now.
        self.go_on(means);
    }
}
