//! The classic device shadow of a thing: what the cloud desires, what the device reports.
//!
//! No I/O here: what goes out is returned as topic and payload, what came in is handed over, and time is an
//! argument. The supervisor connects it to the link.

mod document;

use std::time::{Duration, Instant};

use document::{Accepted, Delta, Rejected, State, Update};

pub use document::Properties;

/// How long the service may take to answer an update.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The device's side of one shadow.
#[derive(Debug)]
pub struct Shadow {
    prefix: String,
    token_prefix: String,
    next_token: u64,
    /// Updates without an answer so far.
    pending: Vec<Pending>,
    /// Version of the newest delta that was handled.
    seen: u64,
}

#[derive(Debug)]
struct Pending {
    token: String,
    sent: Instant,
}

/// What a message of the shadow service means to this device.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Incoming {
    /// One of our updates was accepted.
    Accepted {
        /// The shadow's new version.
        version: u64,
        /// From the update to its answer.
        took: Duration,
    },
    /// One of our updates was rejected.
    Rejected {
        /// The code, as of HTTP.
        code: u16,
        /// The service's words.
        message: String,
    },
    /// The cloud desires something else than was reported.
    Delta {
        /// The shadow's version.
        version: u64,
        /// The properties that differ, with their desired values.
        desired: Properties,
    },
    /// The message is none of the service's documents.
    Damaged {
        /// What is wrong.
        problem: String,
    },
}

impl Shadow {
    /// The classic shadow of `thing`. `token_prefix` tells this device's updates from those of others.
    pub fn new(thing: &str, token_prefix: &str) -> Self {
        Self {
            prefix: format!("$aws/things/{thing}/shadow/update"),
            token_prefix: token_prefix.to_owned(),
            next_token: 0,
            pending: Vec::new(),
            seen: 0,
        }
    }

    /// What must be subscribed to before anything is reported.
    pub fn filters(&self) -> Vec<String> {
        ["accepted", "rejected", "delta"].iter().map(|end| format!("{}/{end}", self.prefix)).collect()
    }

    /// A new connection: a shadow that was deleted meanwhile counts from the start again, and answers to what
    /// was asked before no longer come.
    pub fn connected(&mut self) {
        self.seen = 0;
        self.pending.clear();
    }

    /// The message that reports `properties`: topic and payload.
    pub fn report(&mut self, properties: &Properties, now: Instant) -> (&str, Vec<u8>) {
        let token = format!("{}-{}", self.token_prefix, self.next_token);
        self.next_token += 1;
        let update = Update { state: State { reported: properties }, client_token: &token };
        // Maps with string keys always have a JSON form.
        let payload = serde_json::to_vec(&update).unwrap_or_default();
        self.pending.push(Pending { token, sent: now });
        (&self.prefix, payload)
    }

    /// The last report was not published after all, so no answer to it will come.
    pub fn withdraw(&mut self) {
        self.pending.pop();
    }

    /// Whether a message with this topic is one of the shadow service to this thing.
    pub fn is_about(&self, topic: &str) -> bool {
        self.kind(topic).is_some()
    }

    /// What a received message means. `None`: nothing to this device (another topic, another's update, or a
    /// delta that is older than one already handled).
    pub fn incoming(&mut self, topic: &str, payload: &[u8], now: Instant) -> Option<Incoming> {
        let kind = self.kind(topic)?;
        let meaning = match kind {
            "accepted" => serde_json::from_slice(payload).map(|Accepted { version, client_token }| {
                let took = self.answered(client_token.as_deref(), now)?;
                Some(Incoming::Accepted { version, took })
            }),
            "rejected" => serde_json::from_slice(payload).map(|Rejected { code, message, client_token }| {
                self.answered(client_token.as_deref(), now)?;
                Some(Incoming::Rejected { code, message })
            }),
            "delta" => serde_json::from_slice(payload).map(|Delta { version, state }| {
                if version < self.seen {
                    return None;
                }
                self.seen = version;
                Some(Incoming::Delta { version, desired: state })
            }),
            _ => return None,
        };
        meaning.unwrap_or_else(|error| Some(Incoming::Damaged { problem: format!("{kind}: {error}") }))
    }

    /// How many updates have gone without an answer for too long. Each is counted once.
    pub fn expired(&mut self, now: Instant) -> usize {
        let before = self.pending.len();
        self.pending.retain(|pending| now.saturating_duration_since(pending.sent) < ANSWER_LIMIT);
        before - self.pending.len()
    }

    fn kind<'a>(&self, topic: &'a str) -> Option<&'a str> {
        topic.strip_prefix(&self.prefix)?.strip_prefix('/')
    }

    fn answered(&mut self, token: Option<&str>, now: Instant) -> Option<Duration> {
        let place = self.pending.iter().position(|pending| Some(pending.token.as_str()) == token)?;
        Some(now.saturating_duration_since(self.pending.remove(place).sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn led(on: bool) -> Properties {
        Properties::from_iter([("led".to_owned(), json!(on))])
    }

    fn token_of(payload: &[u8]) -> String {
        let value: Value = serde_json::from_slice(payload).unwrap();
        value["clientToken"].as_str().unwrap().to_owned()
    }

    #[test]
    fn an_update_is_answered_once() {
        let mut shadow = Shadow::new("x", "me");
        let now = Instant::now();
        let (topic, payload) = shadow.report(&led(true), now);
        assert_eq!(topic, "$aws/things/x/shadow/update");
        let answer = json!({"version": 5, "clientToken": token_of(&payload)}).to_string();
        let topic = "$aws/things/x/shadow/update/accepted";
        let later = now + Duration::from_millis(30);
        let took = Duration::from_millis(30);
        let accepted = Some(Incoming::Accepted { version: 5, took });
        assert_eq!(shadow.incoming(topic, answer.as_bytes(), later), accepted);
        assert_eq!(shadow.incoming(topic, answer.as_bytes(), later), None);
    }

    #[test]
    fn updates_of_others_are_not_ours() {
        let mut shadow = Shadow::new("x", "me");
        let now = Instant::now();
        shadow.report(&led(true), now);
        for answer in [json!({"version": 1}), json!({"version": 1, "clientToken": "other"})] {
            let topic = "$aws/things/x/shadow/update/accepted";
            assert_eq!(shadow.incoming(topic, answer.to_string().as_bytes(), now), None);
        }
        assert_eq!(shadow.incoming("$aws/things/xy/shadow/update/delta", b"{}", now), None);
        assert_eq!(shadow.incoming("$aws/things/x/shadow/update/documents", b"{}", now), None);
    }

    #[test]
    fn a_delta_that_was_overtaken_is_dropped() {
        let mut shadow = Shadow::new("x", "me");
        let mut delta = |version: u64, on: bool| {
            let document = json!({"version": version, "state": {"led": on}}).to_string();
            shadow.incoming("$aws/things/x/shadow/update/delta", document.as_bytes(), Instant::now())
        };
        assert_eq!(delta(7, true), Some(Incoming::Delta { version: 7, desired: led(true) }));
        assert_eq!(delta(6, false), None);
        assert!(delta(7, true).is_some(), "QoS 1 may deliver twice");
    }

    #[test]
    fn damage_is_told() {
        let mut shadow = Shadow::new("x", "me");
        let incoming = shadow.incoming("$aws/things/x/shadow/update/delta", b"{\"version\":", Instant::now());
        assert!(matches!(incoming, Some(Incoming::Damaged { .. })));
    }

    #[test]
    fn silence_expires_once() {
        let mut shadow = Shadow::new("x", "me");
        let now = Instant::now();
        shadow.report(&led(true), now);
        assert_eq!(shadow.expired(now + ANSWER_LIMIT / 2), 0);
        assert_eq!(shadow.expired(now + ANSWER_LIMIT), 1);
        assert_eq!(shadow.expired(now + ANSWER_LIMIT), 0);
    }
}
