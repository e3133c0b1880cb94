//! Topics of the shadow service (developer guide, "Device Shadow MQTT topics").

/// A request that a device publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Get,
    Update,
    Delete,
}

impl Request {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// A shadow: its thing, and its name unless it is the classic one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ShadowName {
    pub(crate) thing: String,
    pub(crate) name: Option<String>,
}

impl ShadowName {
    /// The topic `request` or one below it, for example `/accepted`.
    pub(crate) fn topic(&self, request: Request, below: &str) -> String {
        let request = request.name();
        match &self.name {
            None => format!("$aws/things/{}/shadow/{request}{below}", self.thing),
            Some(name) => format!("$aws/things/{}/shadow/name/{name}/{request}{below}", self.thing),
        }
    }
}

/// What a topic is to the shadow service.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Not its business.
    None,
    /// Devices ask here.
    Request(ShadowName, Request),
    /// Under `.../shadow/`, but nothing that a device may publish to.
    ServiceOnly,
}

/// Finds out what a topic is to the shadow service.
pub(crate) fn role(topic: &str) -> Role {
    let Some((thing, rest)) =
        topic.strip_prefix("$aws/things/").and_then(|behind| behind.split_once("/shadow/"))
    else {
        return Role::None;
    };
    let (name, rest) = match rest.strip_prefix("name/").and_then(|behind| behind.split_once('/')) {
        Some((name, rest)) => (Some(name), rest),
        None => (None, rest),
    };
    let request =
        [Request::Get, Request::Update, Request::Delete].into_iter().find(|request| request.name() == rest);
    match request {
        Some(request) if is_thing_name(thing) && name.is_none_or(is_shadow_name) => {
            let shadow = ShadowName { thing: thing.to_owned(), name: name.map(str::to_owned) };
            Role::Request(shadow, request)
        }
        _ => Role::ServiceOnly,
    }
}

/// AWS's pattern of thing names.
pub(crate) fn is_thing_name(name: &str) -> bool {
    matches_pattern(name, 128)
}

/// AWS's pattern of shadow names: that of things, but shorter.
pub(crate) fn is_shadow_name(name: &str) -> bool {
    matches_pattern(name, 64)
}

fn matches_pattern(name: &str, longest: usize) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-');
    (1..=longest).contains(&name.len()) && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_from_answers_and_the_rest() {
        let classic = ShadowName { thing: "gw".to_owned(), name: None };
        let named = ShadowName { thing: "gw".to_owned(), name: Some("net".to_owned()) };
        assert_eq!(role("$aws/things/gw/shadow/get"), Role::Request(classic.clone(), Request::Get));
        let topic = named.topic(Request::Delete, "");
        assert_eq!(topic, "$aws/things/gw/shadow/name/net/delete");
        assert_eq!(role(&topic), Role::Request(named, Request::Delete));
        assert_eq!(role(&classic.topic(Request::Update, "/accepted")), Role::ServiceOnly);
        assert_eq!(role("$aws/things/a b/shadow/get"), Role::ServiceOnly);
        assert_eq!(role("$aws/things/gw/jobs/get"), Role::None);
        assert_eq!(role("telemetry"), Role::None);
    }
}
