//! Names that depend on the chip.

use super::{Config, Error};
use crate::mqtt::check_topic;

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
    /// What is subscribed to for commands.
    pub commands: String,
}

impl Config {
    /// The names of the gateway whose chip has this serial number.
    ///
    /// # Errors
    /// When one of them is nothing that AWS or MQTT allows.
    pub fn names(&self, serial: &str) -> Result<Names, Error> {
        let thing = self.thing_name.fill(&[("serial", serial)]);
        let client_id = self.client_id.fill(&[("serial", serial), ("thing_name", &thing)]);
        let all = [("serial", serial), ("thing_name", &*thing), ("client_id", &*client_id)];
        let telemetry = self.telemetry.topic.fill(&all);
        let commands = self.commands.topic.fill(&all);
        check("thing_name", &thing, check_thing(&thing))?;
        check("client_id", &client_id, check_client_id(&client_id))?;
        check("telemetry.topic", &telemetry, check_topic(&telemetry, false))?;
        check("commands.topic", &commands, check_topic(&commands, true))?;
        Ok(Names { thing, client_id, telemetry, commands })
    }
}

fn check(key: &'static str, value: &str, result: Result<(), &'static str>) -> Result<(), Error> {
    result.map_err(|problem| Error::Name { key, value: value.to_owned(), problem })
}

fn check_thing(name: &str) -> Result<(), &'static str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":_-".contains(&byte);
    if (1..=128).contains(&name.len()) && name.bytes().all(allowed) {
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

    fn names(lines: &str) -> Result<Names, Error> {
        let text = format!("endpoint = 'a.test'\nca_file = 'ca.pem'\n{lines}");
        Config::parse(&text, Path::new("agent.toml")).unwrap().names("0123456789ABCDEF01")
    }

    #[test]
    fn everything_follows_from_the_serial_number() {
        let names = names("").unwrap();
        assert_eq!(names.thing, "0123456789ABCDEF01");
        assert_eq!(names.client_id, names.thing);
        assert_eq!(names.telemetry, "0123456789ABCDEF01/telemetry");
        assert_eq!(names.commands, "0123456789ABCDEF01/commands");
    }

    #[test]
    fn placeholders_build_on_each_other() {
        let names = names(
            "thing_name = 'gw-{serial}'\nclient_id = '{thing_name}-a'\n[telemetry]\ntopic = 'gw/{client_id}/t'",
        );
        assert_eq!(names.unwrap().telemetry, "gw/gw-0123456789ABCDEF01-a/t");
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
