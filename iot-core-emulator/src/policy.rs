//! A small part of AWS IoT Core policies: documents, and the decision they lead to.
//!
//! Understood are `Allow` and `Deny`, the five actions of [`Action`], `*` and `?` in actions and
//! resources, the variables `${iot:ClientId}` and `${iot:Connection.Thing.ThingName}`, and the
//! condition `Bool` on `iot:Connection.Thing.IsAttached` (developer guide, "AWS IoT Core policies",
//! "Thing policy variables"). Everything else is refused when the policy is created, so that a test
//! never passes because a rule was overlooked.

mod document;
mod pattern;

use std::fmt;

pub(crate) use document::Policy;

/// An action that a policy can allow (developer guide, "AWS IoT Core policy actions").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// To connect, on `client/<client id>`.
    Connect,
    /// To publish, on `topic/<topic>`.
    Publish,
    /// To subscribe, on `topicfilter/<filter>`.
    Subscribe,
    /// To be sent a message, on `topic/<topic>`.
    Receive,
    /// To publish with the retain flag, on `topic/<topic>`.
    RetainPublish,
}

impl Action {
    /// The name in policy documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "iot:Connect",
            Self::Publish => "iot:Publish",
            Self::Subscribe => "iot:Subscribe",
            Self::Receive => "iot:Receive",
            Self::RetainPublish => "iot:RetainPublish",
        }
    }

    /// The kind of resource in the last part of the ARN.
    pub(crate) fn resource_kind(self) -> &'static str {
        match self {
            Self::Connect => "client",
            Self::Publish | Self::Receive | Self::RetainPublish => "topic",
            Self::Subscribe => "topicfilter",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Principal<'a> {
    /// The MQTT client id.
    pub(crate) client_id: &'a str,
    /// The thing that is attached to the certificate and named like the client id. AWS fills the
    /// thing variables only in that case.
    pub(crate) thing: Option<&'a str>,
}

/// Whether these policies together allow the action: one statement must allow it and none deny it.
pub(crate) fn allows<'p>(
    policies: impl IntoIterator<Item = &'p Policy>,
    action: Action,
    arn: &str,
    principal: Principal<'_>,
) -> bool {
    let mut allowed = false;
    for effect in policies.into_iter().flat_map(|policy| policy.effects(action, arn, principal)) {
        match effect {
            document::Effect::Deny => return false,
            document::Effect::Allow => allowed = true,
        }
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMED: Principal<'_> = Principal { client_id: "gw-1", thing: Some("gw-1") };
    const NAMELESS: Principal<'_> = Principal { client_id: "gw-1", thing: None };

    fn policy(statements: &str) -> Policy {
        Policy::parse(&format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#)).unwrap()
    }

    fn arn(rest: &str) -> String {
        format!("arn:aws:iot:emulator-1:000000000000:{rest}")
    }

    #[test]
    fn nothing_is_allowed_without_a_statement() {
        assert!(!allows([], Action::Connect, &arn("client/gw-1"), NAMED));
    }

    #[test]
    fn deny_wins_over_allow_in_another_policy() {
        let allow = policy(r#"{"Effect":"Allow","Action":"iot:*","Resource":"*"}"#);
        let deny = policy(
            r#"[{"Effect":"Deny","Action":["iot:Publish"],"Resource":"arn:aws:iot:*:*:topic/secret/*"}]"#,
        );
        let both = [&allow, &deny];
        assert!(allows(both, Action::Publish, &arn("topic/open/1"), NAMED));
        assert!(!allows(both, Action::Publish, &arn("topic/secret/1"), NAMED));
        assert!(allows(both, Action::Receive, &arn("topic/secret/1"), NAMED));
    }

    #[test]
    fn the_thing_name_needs_an_attached_thing() {
        let own = policy(
            r#"{"Effect":"Allow","Action":"iot:Publish",
                "Resource":"arn:aws:iot:*:*:topic/gw/${iot:Connection.Thing.ThingName}/*"}"#,
        );
        assert!(allows([&own], Action::Publish, &arn("topic/gw/gw-1/t"), NAMED));
        assert!(!allows([&own], Action::Publish, &arn("topic/gw/gw-2/t"), NAMED));
        assert!(!allows([&own], Action::Publish, &arn("topic/gw/gw-1/t"), NAMELESS));
    }

    #[test]
    fn wildcards_in_a_variable_are_plain_text() {
        let own = policy(
            r#"{"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:*:*:client/${iot:ClientId}"}"#,
        );
        let star = Principal { client_id: "*", thing: None };
        assert!(!allows([&own], Action::Connect, &arn("client/gw-1"), star));
        assert!(allows([&own], Action::Connect, &arn("client/*"), star));
    }

    #[test]
    fn the_condition_is_attached() {
        let attached = policy(
            r#"{"Effect":"Allow","Action":"iot:Connect","Resource":"*",
                "Condition":{"Bool":{"iot:Connection.Thing.IsAttached":["true"]}}}"#,
        );
        assert!(allows([&attached], Action::Connect, &arn("client/gw-1"), NAMED));
        assert!(!allows([&attached], Action::Connect, &arn("client/gw-1"), NAMELESS));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for statement in [
            r#"{"Effect":"Allow","NotAction":"iot:Publish","Resource":"*"}"#,
            r#"{"Effect":"Allow","Action":"iot:Connect","Resource":"${aws:SourceIp}"}"#,
            r#"{"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:*:*:client/${iot:ClientId"}"#,
            r#"{"Effect":"Allow","Action":"iot:Connect","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.1"}}}"#,
            r#"{"Effect":"Perhaps","Action":"iot:Connect","Resource":"*"}"#,
        ] {
            let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
            assert!(matches!(Policy::parse(&document), Err(crate::Error::Policy(_))), "{statement}");
        }
        assert!(Policy::parse(r#"{"Version":"2008-10-17","Statement":[]}"#).is_err());
        assert!(Policy::parse("").is_err());
    }
}
