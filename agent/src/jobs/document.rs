//! The documents of the jobs service (developer guide, page "Jobs device MQTT API").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a device tells about an execution: at most ten names of 128 letters, digits, `:`, `_` and `-`, each with 1 to 1024
/// characters without control characters.
pub type Details = BTreeMap<String, String>;

/// How an execution stands.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum Status {
    /// It waits.
    Queued,
    /// It is worked on.
    InProgress,
    /// It was done.
    Succeeded,
    /// It was tried, and not done.
    Failed,
    /// It was not tried.
    Rejected,
    /// An end that only the service sets: canceled, timed out, removed.
    #[serde(other)]
    Other,
}

/// One job on one thing.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Execution {
    /// The job.
    pub job_id: String,
    /// How it stands.
    pub status: Status,
    /// What was told of it so far.
    #[serde(default)]
    pub status_details: Details,
    /// Counts its updates.
    pub version_number: u64,
    /// What is to be done.
    #[serde(default)]
    pub job_document: Value,
}

/// An answer to a request.
pub(super) trait Answer {
    fn client_token(&self) -> Option<&str>;
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartNext<'a> {
    pub(super) client_token: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Update<'a> {
    pub(super) status: Status,
    pub(super) status_details: &'a Details,
    pub(super) expected_version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) step_timeout_in_minutes: Option<u64>,
    pub(super) include_job_execution_state: bool,
    pub(super) client_token: &'a str,
}

#[derive(Debug, Deserialize)]
pub(super) struct Next {}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Started {
    pub(super) execution: Option<Execution>,
    client_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Updated {
    pub(super) execution_state: Option<State>,
    client_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rejected {
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
    pub(super) execution_state: Option<State>,
    client_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct State {
    #[serde(default = "unknown")]
    pub(super) status: Status,
    pub(super) version_number: u64,
}

fn unknown() -> Status {
    Status::Other
}

impl Answer for Started {
    fn client_token(&self) -> Option<&str> {
        self.client_token.as_deref()
    }
}

impl Answer for Updated {
    fn client_token(&self) -> Option<&str> {
        self.client_token.as_deref()
    }
}

impl Answer for Rejected {
    fn client_token(&self) -> Option<&str> {
        self.client_token.as_deref()
    }
}
