//! The device shadow service, classic and named (developer guide, "AWS IoT Device Shadow service").
//!
//! Requests come in as topic and payload, answers go out as a list of topics and payloads: no I/O here.

mod document;
mod request;
pub(crate) mod topic;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::lock;
use document::{Document, Object, stamps};
use request::{Body, Rejection, Update};
use topic::{Request, ShadowName};

/// All shadows of the account.
#[derive(Debug, Default)]
pub(crate) struct Shadows {
    slots: Mutex<HashMap<ShadowName, Slot>>,
}

/// One shadow, or what remains of a deleted one: AWS goes on counting its version.
#[derive(Debug, Default)]
struct Slot {
    document: Option<Document>,
    version: u64,
}

/// What follows from a request.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Topics and payloads to publish, in this order.
    pub(crate) messages: Vec<(String, Value)>,
    /// Version and state after an accepted update.
    pub(crate) updated: Option<(u64, Value)>,
    /// Why the request was rejected, if so; the answer is among the messages.
    pub(crate) rejected: Option<(u16, String)>,
}

impl Shadows {
    /// Answers a request.
    pub(crate) fn handle(&self, shadow: &ShadowName, request: Request, payload: &[u8]) -> Outcome {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let body = match Body::parse(payload, request) {
            Ok(body) => body,
            Err(rejection) => return reject(shadow, request, None, now, &rejection),
        };
        let mut slots = lock(&self.slots);
        let answer = match request {
            Request::Get => slots.get(shadow).map_or(Err(Rejection::NOT_FOUND), Slot::get),
            Request::Delete => {
                slots.get_mut(shadow).map_or(Err(Rejection::NOT_FOUND), |slot| slot.delete(now))
            }
            Request::Update => {
                let known = slots.contains_key(shadow);
                let slot = slots.entry(shadow.clone()).or_default();
                let answer = slot.update(shadow, &body, now);
                if !known && answer.is_err() {
                    slots.remove(shadow);
                }
                answer
            }
        };
        drop(slots);
        match answer {
            Ok(mut outcome) => {
                let accepted = shadow.topic(request, "/accepted");
                for (topic, message) in &mut outcome.messages {
                    if topic.is_empty() {
                        topic.clone_from(&accepted);
                    }
                    if let (Some(token), Value::Object(message)) = (&body.client_token, message) {
                        message.insert("clientToken".to_owned(), token.clone().into());
                    }
                }
                outcome
            }
            Err(rejection) => reject(shadow, request, body.client_token, now, &rejection),
        }
    }

    /// The document as `get` would answer it.
    pub(crate) fn get(&self, thing: &str, name: Option<&str>) -> Option<Value> {
        let shadow = ShadowName { thing: thing.to_owned(), name: name.map(str::to_owned) };
        let slots = lock(&self.slots);
        Some(Value::Object(slots.get(&shadow)?.document.as_ref()?.complete()))
    }
}

impl Slot {
    fn get(&self) -> Result<Outcome, Rejection> {
        let document = self.document.as_ref().ok_or(Rejection::NOT_FOUND)?;
        Ok(accepted(Value::Object(document.complete())))
    }

    fn delete(&mut self, now: u64) -> Result<Outcome, Rejection> {
        let document = self.document.take().ok_or(Rejection::NOT_FOUND)?;
        Ok(accepted(json!({ "version": document.version, "timestamp": now })))
    }

    fn update(&mut self, shadow: &ShadowName, body: &Body, now: u64) -> Result<Outcome, Rejection> {
        let Update { desired, reported, state } = &body.update;
        if body.version.is_some_and(|expected| expected != self.version) {
            return Err(Rejection::VERSION_CONFLICT);
        }
        let mut document = self.document.clone().unwrap_or_default();
        let previous = self.document.as_ref().map(snapshot);
        document.update(desired, reported, self.version + 1, now);
        if document.state().to_string().len() > request::LARGEST {
            return Err(Rejection::TOO_LARGE);
        }
        let metadata: Object = state
            .iter()
            .filter_map(|(section, patch)| {
                Some((section.clone(), Value::Object(stamps(patch.as_object()?, now))))
            })
            .collect();
        let version = document.version;
        let mut outcome = accepted(json!({
            "state": state, "metadata": metadata, "version": version, "timestamp": now,
        }));
        // Sent after every accepted update as long as a difference remains, so that a device that
        // missed one is told again.
        if let Some((delta, metadata)) = document.delta() {
            let message = json!({
                "version": version, "timestamp": now, "state": delta, "metadata": metadata,
            });
            outcome.messages.push((shadow.topic(Request::Update, "/delta"), message));
        }
        let documents = json!({ "previous": previous, "current": snapshot(&document), "timestamp": now });
        outcome.messages.push((shadow.topic(Request::Update, "/documents"), documents));
        outcome.updated = Some((version, document.state()));
        self.version = version;
        self.document = Some(document);
        Ok(outcome)
    }
}

/// The form in which `/update/documents` shows a document.
fn snapshot(document: &Document) -> Value {
    json!({ "state": document.state(), "metadata": document.metadata(), "version": document.version })
}

/// An outcome whose first message goes to `/accepted`; an empty topic stands for that.
fn accepted(message: Value) -> Outcome {
    Outcome { messages: vec![(String::new(), message)], updated: None, rejected: None }
}

fn reject(
    shadow: &ShadowName,
    request: Request,
    client_token: Option<String>,
    now: u64,
    rejection: &Rejection,
) -> Outcome {
    let mut message = json!({ "code": rejection.code, "message": rejection.message, "timestamp": now });
    if let Some(token) = client_token {
        message["clientToken"] = token.into();
    }
    Outcome {
        messages: vec![(shadow.topic(request, "/rejected"), message)],
        updated: None,
        rejected: Some((rejection.code, rejection.message.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway() -> ShadowName {
        ShadowName { thing: "gw".to_owned(), name: None }
    }

    fn update(shadows: &Shadows, body: &Value) -> Outcome {
        shadows.handle(&gateway(), Request::Update, body.to_string().as_bytes())
    }

    fn topics(outcome: &Outcome) -> Vec<&str> {
        outcome.messages.iter().map(|(topic, _)| topic.rsplit('/').next().unwrap()).collect()
    }

    #[test]
    fn an_update_is_accepted_with_delta_documents_and_token() {
        let shadows = Shadows::default();
        let outcome = update(
            &shadows,
            &json!({"state": {"desired": {"led": "on"}, "reported": {"led": "off"}}, "clientToken": "t1"}),
        );
        assert_eq!(topics(&outcome), ["accepted", "delta", "documents"]);
        for (_, message) in &outcome.messages {
            assert_eq!(message["clientToken"], "t1");
        }
        assert_eq!(outcome.messages[0].1["version"], 1);
        assert_eq!(outcome.messages[1].1["state"], json!({"led": "on"}));
        assert_eq!(outcome.messages[2].1["previous"], Value::Null);
        assert_eq!(outcome.messages[2].1["current"]["state"]["reported"]["led"], "off");
        let outcome = update(&shadows, &json!({"state": {"reported": {"led": "on"}}}));
        assert_eq!(topics(&outcome), ["accepted", "documents"]);
        assert_eq!(outcome.updated.unwrap().0, 2);
    }

    #[test]
    fn a_wrong_version_conflicts_and_changes_nothing() {
        let shadows = Shadows::default();
        update(&shadows, &json!({"state": {"desired": {"a": 1}}}));
        let outcome =
            update(&shadows, &json!({"state": {"desired": {"a": 2}}, "version": 7, "clientToken": "x"}));
        assert_eq!(topics(&outcome), ["rejected"]);
        assert_eq!(outcome.messages[0].1["code"], 409);
        assert_eq!(outcome.messages[0].1["clientToken"], "x");
        assert_eq!(shadows.get("gw", None).unwrap()["version"], 1);
        assert!(update(&shadows, &json!({"state": {"desired": {"a": 2}}, "version": 1})).rejected.is_none());
    }

    #[test]
    fn get_and_delete_need_a_shadow_and_the_version_goes_on() {
        let shadows = Shadows::default();
        for request in [Request::Get, Request::Delete] {
            assert_eq!(shadows.handle(&gateway(), request, b"").rejected.unwrap().0, 404);
        }
        update(&shadows, &json!({"state": {"desired": {"a": 1}}}));
        let got = shadows.handle(&gateway(), Request::Get, br#"{"clientToken":"g"}"#);
        assert_eq!(got.messages[0].0, "$aws/things/gw/shadow/get/accepted");
        assert_eq!(got.messages[0].1["state"]["delta"], json!({"a": 1}));
        assert_eq!(got.messages[0].1["clientToken"], "g");
        assert!(shadows.handle(&gateway(), Request::Delete, b"").rejected.is_none());
        assert_eq!(shadows.handle(&gateway(), Request::Get, b"").rejected.unwrap().0, 404);
        assert_eq!(update(&shadows, &json!({"state": {"desired": {"a": 1}}})).updated.unwrap().0, 2);
    }

    #[test]
    fn what_is_malformed_or_too_large_is_rejected() {
        let shadows = Shadows::default();
        let deep = (0..9).fold(json!(1), |inner, _| json!({ "d": inner }));
        for (body, code) in [
            ("".to_owned(), 400),
            ("{".to_owned(), 400),
            ("[]".to_owned(), 400),
            ("{}".to_owned(), 400),
            (r#"{"state":1}"#.to_owned(), 400),
            (r#"{"state":{"desired":1}}"#.to_owned(), 400),
            (r#"{"state":{"other":{}}}"#.to_owned(), 400),
            (r#"{"state":{},"version":"1"}"#.to_owned(), 400),
            (json!({"state": {"desired": deep}}).to_string(), 400),
            (json!({"state": {}, "clientToken": "t".repeat(65)}).to_string(), 400),
            (json!({"state": {"desired": {"a": "x".repeat(8200)}}}).to_string(), 413),
        ] {
            let outcome = shadows.handle(&gateway(), Request::Update, body.as_bytes());
            assert_eq!(outcome.rejected.map(|(code, _)| code), Some(code), "{body}");
        }
        // Two updates that fit alone, but not together.
        let half = "x".repeat(5000);
        assert!(update(&shadows, &json!({"state": {"desired": {"a": half}}})).rejected.is_none());
        assert_eq!(update(&shadows, &json!({"state": {"desired": {"b": half}}})).rejected.unwrap().0, 413);
    }
}
