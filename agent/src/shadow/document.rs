//! The documents of the shadow service (developer guide, page "Device Shadow service documents").

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Properties by name, as they stand in `desired` or `reported`.
pub type Properties = Map<String, Value>;

/// A request for the shadow.
#[derive(Debug, Serialize)]
pub(super) struct Get<'a> {
    #[serde(rename = "clientToken")]
    pub(super) client_token: &'a str,
}

/// A request to change the shadow.
#[derive(Debug, Serialize)]
pub(super) struct Update<'a> {
    pub(super) state: State<'a>,
    /// The version that the change is for; `None`: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<u64>,
    #[serde(rename = "clientToken")]
    pub(super) client_token: &'a str,
}

/// A device speaks of what is; what should be is the cloud's part, and is only ever taken back.
#[derive(Debug, Serialize)]
pub(super) struct State<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) desired: Option<Properties>,
    pub(super) reported: &'a Properties,
}

#[derive(Debug, Deserialize)]
pub(super) struct Accepted {
    pub(super) version: u64,
    #[serde(rename = "clientToken")]
    pub(super) client_token: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Rejected {
    pub(super) code: u16,
    #[serde(default)]
    pub(super) message: String,
    #[serde(rename = "clientToken")]
    pub(super) client_token: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Delta {
    pub(super) version: u64,
    pub(super) state: Properties,
}

/// The shadow, as the answer to [`Get`].
#[derive(Debug, Deserialize)]
pub(super) struct Whole {
    pub(super) version: u64,
    #[serde(default)]
    pub(super) state: Sections,
    #[serde(rename = "clientToken")]
    pub(super) client_token: Option<String>,
}

/// Its sections; one that is empty is left out.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Sections {
    #[serde(default)]
    pub(super) desired: Properties,
    #[serde(default)]
    pub(super) reported: Properties,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_update_has_the_form_of_the_guide() {
        let reported = Properties::from_iter([("led".to_owned(), json!(true))]);
        let state = State { desired: None, reported: &reported };
        let update = Update { state, version: None, client_token: "t-1" };
        let expected = json!({"state": {"reported": {"led": true}}, "clientToken": "t-1"});
        assert_eq!(serde_json::to_value(update).unwrap(), expected);
    }

    #[test]
    fn answers_of_the_guide_are_understood() {
        let accepted = json!({"state": {"reported": {"led": true}}, "metadata": {}, "version": 3,
            "timestamp": 1_488_566_142, "clientToken": "t-1"});
        let accepted: Accepted = serde_json::from_value(accepted).unwrap();
        assert_eq!((accepted.version, accepted.client_token.as_deref()), (3, Some("t-1")));
        let rejected = json!({"code": 409, "message": "Version conflict", "timestamp": 1});
        let rejected: Rejected = serde_json::from_value(rejected).unwrap();
        assert_eq!((rejected.code, rejected.client_token), (409, None));
        let delta = json!({"version": 4, "timestamp": 1, "state": {"led": false}, "metadata": {}});
        assert_eq!(serde_json::from_value::<Delta>(delta).unwrap().state["led"], json!(false));
    }
}
