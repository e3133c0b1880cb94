//! One connection with a claim, and the three calls of fleet provisioning on it (AWS IoT Core developer guide, "Device
//! provisioning MQTT API").

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout_at};

use super::Error;
use super::answer::{Created, Registered, Rejected};
use super::claim::Claim;
use super::secret::Secret;
use crate::config::{Config, Format};
use crate::mqtt::{Backoff, Event, Events, Link, Message, Reconnect};

/// How long dialling, handshake, CONNECT and the subscriptions may take; the link has limits of its own for each.
const CONNECT_LIMIT: Duration = Duration::from_secs(120);
/// How long an answer may take. A pre-provisioning hook has five seconds.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// How often is asked while the service has too much to do.
const TRIES: u32 = 5;
/// Between those; AWS's quota is ten calls a second and account, so that a fleet waits for its turn.
const THROTTLED: Reconnect = Reconnect { first: Duration::from_secs(2), longest: Duration::from_secs(16) };
/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// A connection with a claim.
#[derive(Debug)]
pub(super) struct Session {
    link: Link,
    events: Events,
    format: Format,
}

/// A call, and the topic of its requests.
#[derive(Clone, Debug)]
struct Call {
    name: &'static str,
    topic: String,
}

/// What the certificate is made from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted<'a> {
    /// From this request (PEM).
    FromRequest(&'a str),
    /// With a key that the server makes.
    WithKey,
}

impl Session {
    /// Connects, and subscribes to the answers. `client_id` is taken where the claim demands none.
    pub(super) async fn open(
        config: &Config,
        claim: &Claim,
        client_id: &str,
        template: &str,
        format: Format,
        wanted: Wanted<'_>,
    ) -> Result<Self, Error> {
        let mut options = config.link_options(claim.client_id.as_deref().unwrap_or(client_id));
        for call in [create(wanted, format), register(template, format)] {
            options.filters.extend([call.accepted(), call.rejected()]);
        }
        let connector = config.connector(&claim.identity, config.tls)?;
        let (link, events) = Link::start(options, connector)?;
        let mut session = Self { link, events, format };
        let end = Instant::now() + CONNECT_LIMIT;
        loop {
            match session.next(end).await {
                Some(Event::Connected { refused_filters, .. }) => {
                    return match refused_filters.into_iter().next() {
                        Some(filter) => Err(Error::FilterRefused { filter }),
                        None => Ok(session),
                    };
                }
                Some(Event::Disconnected { reason, .. }) => return Err(Error::NotConnected(reason)),
                Some(_) => {}
                None => {
                    let call = "CONNECT";
                    return Err(Error::NoAnswer {
                        call,
                        topic: config.endpoint.clone(),
                        limit: CONNECT_LIMIT,
                    });
                }
            }
        }
    }

    /// CreateCertificateFromCsr or CreateKeysAndCertificate.
    pub(super) async fn create(&mut self, wanted: Wanted<'_>) -> Result<Created, Error> {
        let body = match wanted {
            Wanted::FromRequest(request) => json!({ "certificateSigningRequest": request }),
            Wanted::WithKey => json!({}),
        };
        self.ask(&create(wanted, self.format), &body).await
    }

    /// RegisterThing.
    pub(super) async fn register(
        &mut self,
        template: &str,
        token: &Secret,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Registered, Error> {
        let body = json!({ "certificateOwnershipToken": token.reveal(), "parameters": parameters });
        self.ask(&register(template, self.format), &body).await
    }

    pub(super) async fn close(self) {
        // What fails here is only the courtesy.
        let _ = self.link.shutdown(GOODBYE).await;
    }

    async fn ask<T: DeserializeOwned>(&mut self, call: &Call, body: &Value) -> Result<T, Error> {
        let mut backoff = Backoff::new(THROTTLED);
        let mut tries = 1;
        loop {
            let rejected = match self.ask_once(call, body).await? {
                Ok(answer) => {
                    return serde_json::from_value(answer)
                        .map_err(|error| Error::Answer { call: call.name, problem: error.to_string() });
                }
                Err(rejected) => rejected,
            };
            if !rejected.is_throttled() || tries == TRIES {
                return Err(Error::rejected(call.name, rejected));
            }
            tracing::info!(call = call.name, "the service has too much to do; asking again");
            tries += 1;
            sleep(backoff.after(Duration::ZERO).max(Duration::from_millis(500))).await;
        }
    }

    /// The document of the answer, or the no.
    async fn ask_once(&mut self, call: &Call, body: &Value) -> Result<Result<Value, Rejected>, Error> {
        // The answer is what counts; the acknowledgement says nothing of it.
        drop(self.link.publish(&call.topic, self.format.encode(body))?);
        let end = Instant::now() + ANSWER_LIMIT;
        loop {
            match self.next(end).await {
                Some(Event::Message(Message { topic, payload })) => {
                    let unusable = |problem| Error::Answer { call: call.name, problem };
                    if topic == call.accepted() {
                        return self.format.decode(&payload).map(Ok).map_err(unusable);
                    }
                    if topic == call.rejected() {
                        let rejected = self.format.decode(&payload).map_err(unusable)?;
                        let rejected = serde_json::from_value(rejected);
                        return rejected.map(Err).map_err(|error| unusable(error.to_string()));
                    }
                }
                Some(Event::Disconnected { reason, .. }) => {
                    return Err(Error::Disconnected { call: call.name, reason });
                }
                Some(_) => {}
                None => {
                    let topic = call.topic.clone();
                    return Err(Error::NoAnswer { call: call.name, topic, limit: ANSWER_LIMIT });
                }
            }
        }
    }

    /// The next event before `end`.
    async fn next(&mut self, end: Instant) -> Option<Event> {
        timeout_at(end.into(), self.events.next()).await.ok().flatten()
    }
}

impl Error {
    fn rejected(call: &'static str, rejected: Rejected) -> Self {
        let advice = rejected.advice();
        let Rejected { status_code: status, error_code: code, error_message: message } = rejected;
        Self::Rejected { call, status, code, message, advice }
    }

    /// Whether RegisterThing did not take the ownership token.
    pub(super) fn is_about_token(&self) -> bool {
        let Self::Rejected { code, .. } = self else { return false };
        Rejected { error_code: code.clone(), ..Rejected::default() }.is_about_token()
    }
}

impl Call {
    fn accepted(&self) -> String {
        format!("{}/accepted", self.topic)
    }

    fn rejected(&self) -> String {
        format!("{}/rejected", self.topic)
    }
}

fn create(wanted: Wanted<'_>, format: Format) -> Call {
    let (name, path) = match wanted {
        Wanted::FromRequest(_) => ("CreateCertificateFromCsr", "create-from-csr"),
        Wanted::WithKey => ("CreateKeysAndCertificate", "create"),
    };
    Call { name, topic: format!("$aws/certificates/{path}/{}", format.name()) }
}

fn register(template: &str, format: Format) -> Call {
    let topic = format!("$aws/provisioning-templates/{template}/provision/{}", format.name());
    Call { name: "RegisterThing", topic }
}
