//! Names that depend on who the gateway is.

use std::sync::Arc;

use identity::{Identity, Key, is_thing_name};

use super::{Config, Error, Template};
use crate::local::Topics;
use crate::mqtt::{LastWill, check_topic};

/// The names of this gateway, placeholders replaced and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Names {
    /// The thing.
    pub thing: String,
    /// The MQTT client id.
    pub client_id: String,
    /// Where telemetry goes.
    pub telemetry: String,
    /// What it says, with `{sequence}` for its number; `None`: the state of the host.
    pub telemetry_text: Option<String>,
    /// What is subscribed to for commands.
    pub commands: String,
    /// What toggles a line: topic filter and property.
    pub toggles: Vec<(String, String)>,
    /// What the server publishes if the agent is lost.
    pub last_will: Option<LastWill>,
    /// Which topics of local clients go up and come down.
    pub local: Topics,
}

/// What placeholders stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// `{common_name}`: that of the certificate, as the name of a thing.
    pub common_name: Option<String>,
    /// `{serial}`: that of this project's chip, 18 digits; `{serial_lowercase}` is the same in lower case.
    pub serial: Option<String>,
}

impl Subject {
    /// What is known of `identity`.
    pub fn of(identity: &Identity) -> Self {
        let serial = identity.serial_number().map(|serial| serial.to_string());
        Self { common_name: identity.thing_name(), serial }
    }

    /// What is known of a key that has no certificate of this service yet.
    pub(crate) fn of_key(key: &Arc<Key>) -> Self {
        if let Ok(identity) = Identity::with_key(key.clone(), None) {
            return Self::of(&identity);
        }
        // The name of the certificate that the same chip has for its primary key.
        let serial = key.serial_number().map(|serial| serial.to_string());
        Self { common_name: serial.as_ref().map(|serial| format!("sn{serial}")), serial }
    }

    /// `template`, the setting `key`, with its placeholders replaced.
    pub(crate) fn fill(&self, key: &'static str, template: &Template) -> Result<String, Error> {
        let lowercase = self.serial.as_deref().map(str::to_lowercase);
        let mut known = self.known();
        known.extend(lowercase.as_deref().map(|serial| ("serial_lowercase", serial)));
        let value = template.fill(&known);
        let problem = missing(&value);
        let early = "of the placeholders only {common_name} and {serial} mean something before the gateway has a name";
        let problem = problem.or_else(|| value.contains(['{', '}']).then_some(early));
        check(key, &value, problem.map_or(Ok(()), Err)).map(|()| value)
    }

    fn known(&self) -> Vec<(&str, &str)> {
        let common_name = self.common_name.as_deref().map(|name| ("common_name", name));
        common_name.into_iter().chain(self.serial.as_deref().map(|serial| ("serial", serial))).collect()
    }
}

impl Config {
    /// The names of the gateway that is `subject`.
    ///
    /// # Errors
    /// When one of them is nothing that AWS or MQTT allows, or stands for something that this gateway does not have.
    pub fn names(&self, subject: &Subject) -> Result<Names, Error> {
        let lowercase = subject.serial.as_deref().map(str::to_lowercase);
        let mut known = subject.known();
        known.extend(lowercase.as_deref().map(|serial| ("serial_lowercase", serial)));
        let fill = |key, template: &Template, known: &[(&str, &str)]| {
            let value = template.fill(known);
            let problem = missing(&value);
            check(key, &value, problem.map_or(Ok(()), Err)).map(|()| value)
        };
        let thing = fill("thing_name", &self.thing_name, &known)?;
        known.push(("thing_name", &thing));
        let client_id = fill("client_id", &self.client_id, &known)?;
        known.push(("client_id", &client_id));
        let telemetry = fill("telemetry.topic", &self.telemetry.topic, &known)?;
        let telemetry_text = self.telemetry.text.as_ref().map(|text| text.fill(&known));
        let commands = fill("commands.topic", &self.commands.topic, &known)?;
        let mut toggles = Vec::new();
        for toggle in &self.toggles {
            let topic = fill("toggles.topic", &toggle.topic, &known)?;
            check("toggles.topic", &topic, check_topic(&topic, true))?;
            toggles.push((topic, toggle.line.clone()));
        }
        let mut last_will = None;
        if let Some(will) = &self.last_will {
            let topic = fill("last_will.topic", &will.topic, &known)?;
            check("last_will.topic", &topic, check_topic(&topic, false))?;
            let message = will.message.fill(&known).into_bytes();
            last_will = Some(LastWill { topic, message, retain: will.retain });
        }
        let mut local = Topics::default();
        local.prefix = fill("local.prefix", &self.local.prefix, &known)?;
        local.publish.clone_from(&self.local.publish);
        for filter in &self.local.subscribe {
            local.subscribe.push(fill("local.subscribe", filter, &known)?);
        }
        check("thing_name", &thing, check_thing(&thing))?;
        check("client_id", &client_id, check_client_id(&client_id))?;
        check("telemetry.topic", &telemetry, check_topic(&telemetry, false))?;
        check("commands.topic", &commands, check_topic(&commands, true))?;
        for filter in &local.publish {
            check("local.publish", filter, check_topic(filter, true))?;
        }
        for filter in &local.subscribe {
            check("local.subscribe", filter, check_topic(filter, true))?;
        }
        // A prefix is the beginning of a topic; "x" is any rest of one.
        check("local.prefix", &local.prefix, check_topic(&format!("{}x", local.prefix), false))?;
        Ok(Names { thing, client_id, telemetry, telemetry_text, commands, toggles, last_will, local })
    }

    /// Takes the names that provisioning gave, where agent.toml leaves them open.
    pub(crate) fn adopt(&mut self, thing: Option<&str>, client_id: Option<&str>) {
        let Some(provision) = &self.provision else { return };
        let (names_thing, names_client) = (provision.names_thing, provision.names_client);
        if let Some(thing) = thing.filter(|thing| names_thing && is_thing_name(thing)) {
            self.thing_name = Template::literal(thing);
        }
        if let Some(client_id) = client_id.filter(|id| names_client && !id.contains(['{', '}'])) {
            self.client_id = Template::literal(client_id);
            // A service that names the client names its thing alike.
            if thing.is_none() && names_thing && is_thing_name(client_id) {
                self.thing_name = Template::literal(client_id);
            }
        }
    }
}

/// What is wrong with a value in which a placeholder was left.
fn missing(value: &str) -> Option<&'static str> {
    if value.contains("{common_name}") {
        Some("the common name of the certificate is no thing name; write thing_name and client_id in full")
    } else if value.contains("{serial}") || value.contains("{serial_lowercase}") {
        Some(
            "the key is not in a chip that tells its serial number; use {common_name}, or write the name in full",
        )
    } else {
        None
    }
}

fn check(key: &'static str, value: &str, result: Result<(), &'static str>) -> Result<(), Error> {
    result.map_err(|problem| Error::Name { key, value: value.to_owned(), problem })
}

fn check_thing(name: &str) -> Result<(), &'static str> {
    if is_thing_name(name) {
        Ok(())
    } else {
        Err("a thing name has 1 to 128 letters, digits, `:`, `_` and `-`")
    }
}

fn check_client_id(id: &str) -> Result<(), &'static str> {
    if id.contains('{') {
        Err("a client id cannot contain itself")
    } else if (1..=128).contains(&id.len()) {
        Ok(())
    } else {
        Err("a client id has 1 to 128 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn names_of(lines: &str, subject: &Subject) -> Result<Names, Error> {
        let text = format!("endpoint = 'a.test'\nca_file = 'ca.pem'\n{lines}");
        Config::parse(&text, Path::new("agent.toml")).unwrap().names(subject)
    }

    fn names(lines: &str) -> Result<Names, Error> {
        let (common_name, serial) = ("sn0123456789ABCDEF01".to_owned(), "0123456789ABCDEF01".to_owned());
        names_of(lines, &Subject { common_name: Some(common_name), serial: Some(serial) })
    }

    #[test]
    fn everything_follows_from_the_certificate() {
        let names = names("").unwrap();
        assert_eq!(names.thing, "sn0123456789ABCDEF01");
        assert_eq!(names.client_id, names.thing);
        assert_eq!(names.telemetry, "sn0123456789ABCDEF01/telemetry");
        assert_eq!(names.commands, "sn0123456789ABCDEF01/commands");
    }

    #[test]
    fn placeholders_build_on_each_other() {
        let names = names(
            "thing_name = 'gw-{serial}'\nclient_id = '{thing_name}-a'\n[telemetry]\ntopic = 'gw/{client_id}/t'",
        );
        assert_eq!(names.unwrap().telemetry, "gw/gw-0123456789ABCDEF01-a/t");
    }

    #[test]
    fn a_name_that_the_identity_does_not_have_is_asked_for() {
        let common_name = Some("gateway-7".to_owned());
        let foreign = Subject { common_name, serial: None };
        assert_eq!(names_of("", &foreign).unwrap().client_id, "gateway-7");
        let error = names_of("client_id = '{serial}'", &foreign).unwrap_err().to_string();
        assert!(error.starts_with("client_id is \"{serial}\"") && error.contains("{common_name}"), "{error}");
        let error = names_of("", &Subject::default()).unwrap_err().to_string();
        assert!(error.contains("thing_name"), "{error}");
        assert!(names_of("thing_name = 'a'\nclient_id = 'b'", &Subject::default()).is_ok());
    }

    #[test]
    fn what_aws_would_refuse_is_refused_here() {
        for lines in [
            "thing_name = 'a b'",
            "client_id = ''",
            "client_id = '{client_id}'",
            "[telemetry]\ntopic = 'a/#'",
            "[commands]\ntopic = 'a/#/b'",
        ] {
            assert!(matches!(names(lines), Err(Error::Name { .. })), "{lines}");
        }
    }
}
