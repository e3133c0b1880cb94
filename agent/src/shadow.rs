//! The device's side of one shadow of a thing, classic or named: what the cloud desires, what the device reports.
//!
//! No I/O here: what goes out is returned as topic and payload, what came in is handed over, and time is an
//! argument. The supervisor connects it to the link.

mod document;

use std::time::{Duration, Instant};

use serde::Serialize;

use document::{Accepted, Delta, Get, Rejected, State, Update, Whole};

pub use document::Properties;

/// How long the service may take to answer.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The device's side of one shadow.
#[derive(Debug)]
pub struct Shadow {
    prefix: String,
    token_prefix: String,
    next_token: u64,
    /// Requests without an answer so far.
    pending: Vec<Pending>,
    /// Version of the newest document that was handled.
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
        /// The code, as of HTTP: [`CONFLICT`], [`TOO_MANY`] and others.
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
    /// The shadow as a whole, which was asked for.
    Whole {
        /// The shadow's version.
        version: u64,
        /// All that is desired.
        desired: Properties,
        /// All that was reported.
        reported: Properties,
    },
    /// The shadow as a whole was asked for, and there is none, or it is not to be had.
    NoWhole {
        /// The code, as of HTTP: [`NOT_FOUND`] if there is none.
        code: u16,
        /// The service's words.
        message: String,
    },
    /// The message is none of the service's documents.
    Damaged {
        /// What is wrong.
        problem: String,
    },
}

/// The shadow does not exist.
pub const NOT_FOUND: u16 = 404;
/// The shadow has another version than the update was for.
pub const CONFLICT: u16 = 409;
/// The service asks to go slower.
pub const TOO_MANY: u16 = 429;

impl Shadow {
    /// A shadow of `thing`; without a name, the classic one. `token_prefix` tells this device's requests from those of
    /// others.
    pub fn new(thing: &str, name: Option<&str>, token_prefix: &str) -> Self {
        let name = name.map(|name| format!("/name/{name}")).unwrap_or_default();
        Self {
            prefix: format!("$aws/things/{thing}/shadow{name}"),
            token_prefix: token_prefix.to_owned(),
            next_token: 0,
            pending: Vec::new(),
            seen: 0,
        }
    }

    /// What must be subscribed to before anything is asked or reported.
    pub fn filters(&self) -> Vec<String> {
        let ends = ["update/accepted", "update/rejected", "update/delta", "get/accepted", "get/rejected"];
        ends.iter().map(|end| format!("{}/{end}", self.prefix)).collect()
    }

    /// A new connection: a shadow that was deleted meanwhile counts from the start again, and answers to what
    /// was asked before no longer come.
    pub fn connected(&mut self) {
        self.seen = 0;
        self.pending.clear();
    }

    /// The message that asks for the whole shadow: topic and payload.
    pub fn get(&mut self, now: Instant) -> (String, Vec<u8>) {
        let token = self.token(now);
        (format!("{}/get", self.prefix), json(&Get { client_token: &token }))
    }

    /// The message that reports `properties`: topic and payload.
    ///
    /// `withdrawn` are properties that are no longer to be desired, since somebody else decided meanwhile. They are
    /// withdrawn only if nobody desired anything after what this device has seen, and if somebody did, the whole update
    /// is rejected with [`CONFLICT`].
    pub fn report(
        &mut self,
        properties: &Properties,
        withdrawn: &[String],
        now: Instant,
    ) -> (String, Vec<u8>) {
        let token = self.token(now);
        let desired: Properties =
            withdrawn.iter().map(|name| (name.clone(), serde_json::Value::Null)).collect();
        let desired = (!desired.is_empty()).then_some(desired);
        let version = desired.is_some().then_some(self.seen);
        let update = Update { state: State { desired, reported: properties }, version, client_token: &token };
        (format!("{}/update", self.prefix), json(&update))
    }

    /// The last request was not published after all, so no answer to it will come.
    pub fn withdraw(&mut self) {
        self.pending.pop();
    }

    /// Whether an answer is still to come.
    pub fn is_waiting(&self) -> bool {
        !self.pending.is_empty()
    }

    /// What a received message means. `None`: nothing to this device (another topic, the answer to another's request, or a
    /// delta that is older than a document that was handled already).
    pub fn incoming(&mut self, topic: &str, payload: &[u8], now: Instant) -> Option<Incoming> {
        let kind = topic.strip_prefix(&self.prefix)?.strip_prefix('/')?;
        let meaning = match kind {
            "update/accepted" => parse(payload).map(|Accepted { version, client_token }| {
                let took = self.answered(client_token.as_deref(), now)?;
                self.seen = self.seen.max(version);
                Some(Incoming::Accepted { version, took })
            }),
            "update/rejected" => parse(payload).map(|Rejected { code, message, client_token }| {
                self.answered(client_token.as_deref(), now)?;
                Some(Incoming::Rejected { code, message })
            }),
            "update/delta" => parse(payload).map(|Delta { version, state }| {
                if version < self.seen {
                    return None;
                }
                self.seen = version;
                Some(Incoming::Delta { version, desired: state })
            }),
            "get/accepted" => parse(payload).map(|Whole { version, state, client_token }| {
                self.answered(client_token.as_deref(), now)?;
                self.seen = self.seen.max(version);
                Some(Incoming::Whole { version, desired: state.desired, reported: state.reported })
            }),
            "get/rejected" => parse(payload).map(|Rejected { code, message, client_token }| {
                self.answered(client_token.as_deref(), now)?;
                Some(Incoming::NoWhole { code, message })
            }),
            _ => return None,
        };
        meaning.unwrap_or_else(|error| Some(Incoming::Damaged { problem: format!("{kind}: {error}") }))
    }

    /// How many requests have gone without an answer for too long. Each is counted once.
    pub fn expired(&mut self, now: Instant) -> usize {
        let before = self.pending.len();
        self.pending.retain(|pending| now.saturating_duration_since(pending.sent) < ANSWER_LIMIT);
        before - self.pending.len()
    }

    fn token(&mut self, now: Instant) -> String {
        let token = format!("{}-{}", self.token_prefix, self.next_token);
        self.next_token += 1;
        self.pending.push(Pending { token: token.clone(), sent: now });
        token
    }

    fn answered(&mut self, token: Option<&str>, now: Instant) -> Option<Duration> {
        let place = self.pending.iter().position(|pending| Some(pending.token.as_str()) == token)?;
        Some(now.saturating_duration_since(self.pending.remove(place).sent))
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(payload: &'a [u8]) -> serde_json::Result<T> {
    serde_json::from_slice(payload)
}

fn json(request: &impl Serialize) -> Vec<u8> {
    // Maps with string keys always have a JSON form.
    serde_json::to_vec(request).unwrap_or_default()
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
        let mut shadow = Shadow::new("x", None, "me");
        let now = Instant::now();
        let (topic, payload) = shadow.report(&led(true), &[], now);
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
        let mut shadow = Shadow::new("x", None, "me");
        let now = Instant::now();
        shadow.report(&led(true), &[], now);
        for answer in [json!({"version": 1}), json!({"version": 1, "clientToken": "other"})] {
            let topic = "$aws/things/x/shadow/update/accepted";
            assert_eq!(shadow.incoming(topic, answer.to_string().as_bytes(), now), None);
        }
        assert_eq!(shadow.incoming("$aws/things/xy/shadow/update/delta", b"{}", now), None);
        assert_eq!(shadow.incoming("$aws/things/x/shadow/update/documents", b"{}", now), None);
    }

    #[test]
    fn a_delta_that_was_overtaken_is_dropped() {
        let mut shadow = Shadow::new("x", None, "me");
        let mut delta = |version: u64, on: bool| {
            let document = json!({"version": version, "state": {"led": on}}).to_string();
            shadow.incoming("$aws/things/x/shadow/update/delta", document.as_bytes(), Instant::now())
        };
        assert_eq!(delta(7, true), Some(Incoming::Delta { version: 7, desired: led(true) }));
        assert_eq!(delta(6, false), None);
        assert!(delta(7, true).is_some(), "QoS 1 may deliver twice");
    }

    #[test]
    fn a_named_shadow_is_asked_for_as_a_whole_and_older_deltas_no_longer_count() {
        let mut shadow = Shadow::new("x", Some("valves"), "me");
        let now = Instant::now();
        let (topic, payload) = shadow.get(now);
        assert_eq!(topic, "$aws/things/x/shadow/name/valves/get");
        let whole = json!({"version": 9, "clientToken": token_of(&payload), "timestamp": 1,
            "state": {"desired": {"led": true}, "delta": {"led": true}}, "metadata": {}});
        let answer = shadow.incoming(&format!("{topic}/accepted"), whole.to_string().as_bytes(), now);
        let (desired, reported) = (led(true), Properties::new());
        assert_eq!(answer, Some(Incoming::Whole { version: 9, desired, reported }));
        let old = json!({"version": 8, "state": {"led": false}}).to_string();
        let topic = "$aws/things/x/shadow/name/valves/update/delta";
        assert_eq!(shadow.incoming(topic, old.as_bytes(), now), None);
    }

    #[test]
    fn a_desire_is_withdrawn_only_in_the_version_that_was_seen() {
        let mut shadow = Shadow::new("x", None, "me");
        let delta = json!({"version": 7, "state": {"led": true}}).to_string();
        shadow.incoming("$aws/things/x/shadow/update/delta", delta.as_bytes(), Instant::now());
        let (_, payload) = shadow.report(&led(false), &["led".to_owned()], Instant::now());
        let sent: Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(sent["state"], json!({"desired": {"led": null}, "reported": {"led": false}}));
        assert_eq!(sent["version"], 7);
        let (_, payload) = shadow.report(&led(false), &[], Instant::now());
        assert!(!String::from_utf8(payload).unwrap().contains("version"));
    }

    #[test]
    fn damage_is_told() {
        let mut shadow = Shadow::new("x", None, "me");
        let incoming = shadow.incoming("$aws/things/x/shadow/update/delta", b"{\"version\":", Instant::now());
        assert!(matches!(incoming, Some(Incoming::Damaged { .. })));
    }

    #[test]
    fn silence_expires_once() {
        let mut shadow = Shadow::new("x", None, "me");
        let now = Instant::now();
        shadow.report(&led(true), &[], now);
        assert_eq!(shadow.expired(now + ANSWER_LIMIT / 2), 0);
        assert_eq!(shadow.expired(now + ANSWER_LIMIT), 1);
        assert_eq!(shadow.expired(now + ANSWER_LIMIT), 0);
    }
}
