//! The documents of the shadow service (developer guide, page "Device Shadow service documents").

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Properties by name, as they stand in `desired` or `reported`.
pub type Properties = Map<String, Value>;

/// A request to change the shadow.
#[derive(Debug, Serialize)]
pub(super) struct Update<'a> {
    pub(super) state: State<'a>,
    #[serde(rename = "clientToken")]
    pub(super) client_token: &'a str,
}

/// A device only ever speaks of what is; what should be is the cloud's part.
#[derive(Debug, Serialize)]
pub(super) struct State<'a> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_update_has_the_form_of_the_guide() {
        let reported = Properties::from_iter([("led".to_owned(), json!(true))]);
        let update = Update { state: State { reported: &reported }, client_token: "t-1" };
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
