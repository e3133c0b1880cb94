//! Fleet provisioning as a device sees it: requests over MQTT (developer guide, "Device provisioning MQTT API").

mod format;
mod rejection;
pub(crate) mod topic;

use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::event::Event;
use crate::template::Parameters;
use rejection::Rejection;
use topic::{Call, Request};

/// The parameter that AWS fills in.
const CERTIFICATE_ID: &str = "AWS::IoT::Certificate::Id";

/// An answer, for the client that asked and nobody else.
pub(crate) struct Answer {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
}

impl Account {
    /// Answers a request of a device.
    pub(crate) fn provisioning(&self, connection: u64, request: &Request, payload: &[u8]) -> Answer {
        let answered = if self.throttle.provisioning() {
            self.answer(connection, request, payload)
        } else {
            Err(Rejection::THROTTLED)
        };
        let (below, document) = match answered {
            Ok(document) => ("/accepted", document),
            Err(rejection) => {
                self.history.record(Event::ProvisioningRejected {
                    connection,
                    topic: request.topic(""),
                    code: rejection.code.to_owned(),
                    message: rejection.message.to_string(),
                });
                ("/rejected", rejection.document())
            }
        };
        Answer { topic: request.topic(below), payload: request.format.encode(&document) }
    }

    fn answer(&self, connection: u64, request: &Request, payload: &[u8]) -> Result<Value, Rejection> {
        match &request.call {
            Call::CreateCertificateFromCsr => {
                let body = request.format.decode(payload)?;
                let Some(Value::String(pem)) = body.get("certificateSigningRequest") else {
                    return Err(Rejection::bad_request("certificateSigningRequest is missing".to_owned()));
                };
                let (id, pem, token) = self.registry.certify(pem).map_err(Rejection::bad_request)?;
                self.created(connection, &id);
                Ok(json!({
                    "certificateId": id.as_str(), "certificatePem": pem, "certificateOwnershipToken": token,
                }))
            }
            Call::CreateKeysAndCertificate => {
                // "with an empty message payload"; what is in it does not matter.
                let created =
                    self.registry.create_keys().map_err(|error| Rejection::internal(error.to_string()))?;
                let (id, pem, key, token) = created;
                self.created(connection, &id);
                Ok(json!({
                    "certificateId": id.as_str(), "certificatePem": pem, "privateKey": key,
                    "certificateOwnershipToken": token,
                }))
            }
            Call::RegisterThing(template) => {
                let body = request.format.decode(payload)?;
                self.register_thing(connection, template, &body)
            }
        }
    }

    fn register_thing(
        &self,
        connection: u64,
        template: &str,
        body: &Map<String, Value>,
    ) -> Result<Value, Rejection> {
        let token = match body.get("certificateOwnershipToken") {
            Some(Value::String(token)) if !token.is_empty() => token,
            _ => return Err(Rejection::NO_TOKEN),
        };
        let mut parameters = parameters(body.get("parameters"))?;
        let id = self.registry.owned(token).ok_or(Rejection::UNKNOWN_TOKEN)?;
        if !self.registry.hook_allows(template, &parameters) {
            return Err(Rejection::ACCESS_DENIED);
        }
        parameters.insert(CERTIFICATE_ID.to_owned(), id.to_string());
        let plan =
            self.registry.plan(template, &parameters).ok_or_else(|| Rejection::no_template(template))?;
        let done = plan
            .and_then(|plan| self.registry.provision(&id, plan))
            .map_err(Rejection::provisioning_failed)?;
        self.history.record(Event::Provisioned {
            connection: Some(connection),
            certificate_id: id,
            thing: done.thing.clone(),
        });
        let mut answer = json!({ "deviceConfiguration": done.device_configuration });
        // A template without a thing gives a device no name.
        if let Some(thing) = done.thing {
            answer["thingName"] = thing.into();
        }
        Ok(answer)
    }

    fn created(&self, connection: u64, id: &crate::CertificateId) {
        self.history.record(Event::CertificateCreated { connection, certificate_id: id.clone() });
    }
}

fn parameters(typed: Option<&Value>) -> Result<Parameters, Rejection> {
    let typed = match typed {
        None | Some(Value::Null) => return Ok(Parameters::new()),
        Some(Value::Object(typed)) => typed,
        Some(_) => return Err(Rejection::bad_request("parameters must be an object".to_owned())),
    };
    let text = |(name, value): (&String, &Value)| match value {
        Value::String(value) => Ok((name.clone(), value.clone())),
        _ => Err(Rejection::bad_request(format!("parameter {name} must be a string"))),
    };
    typed.iter().map(text).collect()
}
