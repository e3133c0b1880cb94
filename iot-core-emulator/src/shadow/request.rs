//! Bodies of shadow requests, and why they are rejected.
//!
//! Codes and messages are those of the developer guide, "Device Shadow error messages".

use std::borrow::Cow;

use serde_json::Value;

use super::document::{Change, Object, depth};
use super::topic::Request;

/// Bytes that a state document may have (quotas of the shadow service: 8 KB).
pub(super) const LARGEST: usize = 8 * 1024;
/// How deep `desired` and `reported` may be nested.
const DEEPEST: usize = 8;
/// Bytes that a client token may have.
const LONGEST_TOKEN: usize = 64;

/// Why a request is rejected.
#[derive(Debug)]
pub(super) struct Rejection {
    pub(super) code: u16,
    pub(super) message: Cow<'static, str>,
}

impl Rejection {
    pub(super) const NOT_FOUND: Self = Self::new(404, "No shadow exists with this name");
    pub(super) const VERSION_CONFLICT: Self = Self::new(409, "Version conflict");
    pub(super) const TOO_LARGE: Self = Self::new(413, "The payload exceeds the maximum size allowed");

    const fn new(code: u16, message: &'static str) -> Self {
        Self { code, message: Cow::Borrowed(message) }
    }
}

/// A parsed body.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) client_token: Option<String>,
    pub(super) version: Option<u64>,
    pub(super) update: Update,
}

/// The `state` of an update.
#[derive(Debug, Default)]
pub(super) struct Update {
    pub(super) desired: Change,
    pub(super) reported: Change,
    /// As it came, to be echoed.
    pub(super) state: Object,
}

impl Body {
    /// Parses a body. Only an update must have one.
    pub(super) fn parse(payload: &[u8], request: Request) -> Result<Self, Rejection> {
        if payload.len() > LARGEST {
            return Err(Rejection::TOO_LARGE);
        }
        if payload.is_empty() && request != Request::Update {
            return Ok(Self::default());
        }
        let Ok(Value::Object(mut body)) = serde_json::from_slice(payload) else {
            return Err(bad("Payload contains invalid json"));
        };
        let client_token = match body.remove("clientToken") {
            None => None,
            Some(Value::String(token)) if token.len() <= LONGEST_TOKEN => Some(token),
            Some(_) => return Err(bad("Invalid clientToken")),
        };
        let version = match body.remove("version") {
            None | Some(Value::Null) => None,
            Some(version) => Some(version.as_u64().ok_or_else(|| bad("Invalid version"))?),
        };
        let update = match request {
            Request::Update => Update::parse(body.remove("state"))?,
            Request::Get | Request::Delete => Update::default(),
        };
        Ok(Self { client_token, version, update })
    }
}

impl Update {
    fn parse(state: Option<Value>) -> Result<Self, Rejection> {
        let state = match state {
            None => return Err(bad("Missing required node: state")),
            Some(Value::Object(state)) => state,
            Some(_) => return Err(bad("State node must be an object")),
        };
        let mut update = Self::default();
        for (section, value) in &state {
            let target = match section.as_str() {
                "desired" => &mut update.desired,
                "reported" => &mut update.reported,
                _ => return Err(bad(format!("State contains an invalid node: '{section}'"))),
            };
            *target = match value {
                Value::Null => Change::Clear,
                Value::Object(_) if depth(value) > DEEPEST => {
                    return Err(bad(format!(
                        "JSON contains too many levels of nesting; maximum is {DEEPEST}"
                    )));
                }
                Value::Object(patch) => Change::Merge(patch.clone()),
                _ => return Err(bad(format!("The node {section} must be an object"))),
            };
        }
        update.state = state;
        Ok(update)
    }
}

fn bad(message: impl Into<Cow<'static, str>>) -> Rejection {
    Rejection { code: 400, message: message.into() }
}
