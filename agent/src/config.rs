//! agent.toml: what is typed there, and what it means. `agent.example.toml` describes every key.

mod connection;
mod error;
mod file;
mod jobs;
mod lines;
mod link;
mod local;
mod names;
mod outbox;
mod provision;
mod status;
mod values;

use std::path::{Path, PathBuf};
use std::time::Duration;

use atecc::Slot;
use identity::KeySource;

use crate::dial::{Destination, Proxy};
use crate::mqtt::{Reconnect, Version};
use crate::outbox::Options as Outbox;
use crate::tls::{ALPN_AWS_MQTT, Versions};

pub use connection::LastWill;
pub use error::Error;
pub use jobs::{Command, Jobs};
pub use lines::{Line, Pin, Toggle, Which};
pub use local::Local;
pub use names::{Names, Subject};
pub use provision::{Access, Claim, Fleet, Format, KeyOrigin, Krypton, Provision, Way};
pub use status::Status;
pub use values::Template;

/// AWS IoT Device Defender refuses reports that come more often (developer guide, page "Sending metrics from devices").
const SHORTEST_DEFENDER_INTERVAL: Duration = Duration::from_secs(300);

/// The configuration as it is meant: every default filled in, paths resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The server's host name: SNI, and the name in its certificate.
    pub endpoint: String,
    /// Its port.
    pub port: u16,
    /// `host:port` to dial instead of the endpoint.
    pub address: Option<String>,
    /// PEM file with the CA certificates that the server's certificate must lead to.
    pub ca_file: PathBuf,
    /// The ALPN protocol to offer.
    pub alpn: Option<String>,
    /// The proxy to dial through.
    pub proxy: Option<Proxy>,
    /// Which versions of TLS may be agreed on.
    pub tls: Versions,
    /// The version of the protocol.
    pub mqtt: Version,
    /// Whether the server forgets subscriptions, and what comes for them, between connections.
    pub clean_session: bool,
    /// What the server publishes if the agent is lost.
    pub last_will: Option<LastWill>,
    /// The chip, as a device specification of atecc-token.
    pub device: Option<String>,
    /// The slot of the key in that chip; `None`: that of its primary key.
    pub slot: Option<Slot>,
    /// Where the key is; `None`: in the chip of `device`.
    pub key: Option<KeySource>,
    /// PEM file with the certificate to show, for that key, and those above it; without it, what the chip or the token
    /// stores, or the file of the key.
    pub certificate_file: Option<PathBuf>,
    /// The thing in the registry.
    pub thing_name: Template,
    /// The MQTT client id.
    pub client_id: Template,
    /// Seconds without traffic until the link asks whether the server is still there.
    pub keep_alive_seconds: u16,
    /// Waits between attempts to connect.
    pub reconnect: Reconnect,
    /// Where messages wait for the server.
    pub outbox: Outbox,
    /// The listener for programs on this machine.
    pub local: Local,
    /// Where the agent tells how it is.
    pub status: Status,
    /// Telemetry.
    pub telemetry: Telemetry,
    /// Commands.
    pub commands: Commands,
    /// The device shadow.
    pub shadow: Shadow,
    /// What is switched and watched.
    pub lines: Vec<Line>,
    /// Topics that switch.
    pub toggles: Vec<Toggle>,
    /// How a gateway without a certificate gets one.
    pub provision: Option<Provision>,
    /// What jobs may do.
    pub jobs: Jobs,
    /// How often Device Defender gets a report; `None`: it gets none.
    pub defender: Option<Duration>,
}

/// What is sent by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Telemetry {
    /// Where to.
    pub topic: Template,
    /// How often.
    pub interval: Duration,
    /// The message, in which `{sequence}` is its number from 0; `None`: the state of the host, as JSON.
    pub text: Option<Template>,
}

/// What is listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commands {
    /// The topic filter.
    pub topic: Template,
}

/// The device shadow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shadow {
    /// Off for servers that have none; a policy that forbids the shadow's topics makes AWS cut the connection.
    pub enabled: bool,
}

impl Config {
    /// Reads agent.toml.
    ///
    /// # Errors
    /// When it cannot be read, or a line is wrong.
    pub fn load(file: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file)
            .map_err(|source| Error::Unreadable { file: file.to_owned(), source })?;
        Self::parse(&text, file)
    }

    /// Understands the text of agent.toml. Relative paths in it start at the folder of `file`, which is also
    /// named in errors.
    ///
    /// # Errors
    /// When a line is wrong.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Error> {
        let typed: file::File = toml::from_str(text).map_err(|error| invalid(&error, text, file))?;
        if typed.key.is_some() && typed.device.is_some() {
            let problem = "`device` and `key` both say where the key is; one of them is enough".to_owned();
            return Err(Error::Invalid { file: file.to_owned(), line: line_of(text, "key"), problem });
        }
        if typed.key.is_some() && typed.slot.is_some() {
            let problem = "`slot` is one of the chip of `device`, and `key` is elsewhere".to_owned();
            return Err(Error::Invalid { file: file.to_owned(), line: line_of(text, "slot"), problem });
        }
        let unfit =
            |key, problem| Error::Invalid { file: file.to_owned(), line: line_of(text, key), problem };
        let shadow = typed.shadow.name.as_deref();
        if shadow.is_some_and(|name| !lines::is_shadow_name(name)) {
            return Err(unfit("name", lines::SHADOW_NAME.to_owned()));
        }
        let lines = lines::meant(typed.lines, shadow).map_err(|problem| unfit("[[lines]]", problem))?;
        lines::check_toggles(&typed.toggles, &lines).map_err(|problem| unfit("[[toggles]]", problem))?;
        let port = typed.port.map_or(8883, u16::from);
        let seconds = |number: std::num::NonZeroU32| Duration::from_secs(number.get().into());
        let defender = typed.defender.interval_seconds.map(seconds);
        if defender.is_some_and(|interval| interval < SHORTEST_DEFENDER_INTERVAL) {
            let problem = "AWS takes a report every 300 seconds at most".to_owned();
            return Err(unfit("interval_seconds", problem));
        }
        let defaults = Reconnect::default();
        let first = typed.reconnect.first_seconds.map_or(defaults.first, seconds);
        let longest = typed.reconnect.longest_seconds.map_or(defaults.longest, seconds).max(first);
        let beside = |path: &Path| file.parent().unwrap_or(Path::new("")).join(path);
        let template = |typed: Option<Template>, default| typed.unwrap_or_else(|| Template::fixed(default));
        let address = typed.address.map(|address| address.0);
        let dialled = address.as_deref().and_then(|address| address.parse().ok());
        let dialled = dialled.unwrap_or_else(|| Destination::new(&typed.endpoint.0, port));
        let variable = |name: &str| std::env::var(name).ok();
        let password_file = typed.proxy_password_file.as_deref().map(beside);
        let proxy =
            connection::proxy(typed.proxy, password_file, &dialled, variable).map_err(|(key, problem)| {
                Error::Invalid { file: file.to_owned(), line: line_of(text, key), problem }
            })?;
        let outbox = typed.outbox.options(beside);
        let slot = typed.slot.map(|slot| slot.0);
        let mut key = typed.key.map(|key| key.0.relative_to(file.parent().unwrap_or(Path::new(""))));
        let mut certificate_file = typed.certificate_file.as_deref().map(beside);
        let home = provision::Home {
            folder: outbox.folder.as_deref(),
            key: &mut key,
            certificate_file: &mut certificate_file,
            is_in_chip: typed.device.is_some() || slot.is_some(),
            slot: slot.map(Slot::number),
        };
        let provision = typed.provision.map(|typed| typed.meant(beside, home)).transpose();
        let mut provision = provision.map_err(|problem| Error::Invalid {
            file: file.to_owned(),
            line: line_of(text, "[provision]"),
            problem,
        })?;
        if let Some(provision) = &mut provision {
            provision.names_thing = typed.thing_name.is_none();
            provision.names_client = typed.client_id.is_none();
        }
        Ok(Self {
            endpoint: typed.endpoint.0,
            port,
            address,
            proxy,
            tls: typed.tls.into(),
            mqtt: typed.mqtt.into(),
            clean_session: typed.clean_session.unwrap_or(true),
            last_will: typed.last_will,
            ca_file: beside(&typed.ca_file),
            alpn: match typed.alpn {
                Some(protocol) => Some(protocol).filter(|protocol| !protocol.is_empty()),
                None => (port == 443).then(|| ALPN_AWS_MQTT.to_owned()),
            },
            device: typed.device.map(|device| device.0),
            slot,
            key,
            certificate_file,
            thing_name: template(typed.thing_name, "{common_name}"),
            client_id: template(typed.client_id, "{thing_name}"),
            keep_alive_seconds: typed.keep_alive_seconds.map_or(30, u16::from),
            reconnect: Reconnect { first, longest },
            outbox,
            local: typed.local.meant(beside),
            status: typed.status.meant(beside),
            telemetry: Telemetry {
                topic: template(typed.telemetry.topic, "{client_id}/telemetry"),
                interval: typed.telemetry.interval_seconds.map_or(Duration::from_secs(60), seconds),
                text: typed.telemetry.text.map(Template::free),
            },
            commands: Commands { topic: template(typed.commands.topic, "{client_id}/commands") },
            shadow: Shadow { enabled: typed.shadow.enabled.unwrap_or(true) },
            lines,
            toggles: typed.toggles,
            provision,
            jobs: typed.jobs.meant().map_err(|problem| unfit("[jobs]", problem))?,
            defender,
        })
    }
}

/// The line on which the setting `key` of the top level, or the first table of this name, stands.
fn line_of(text: &str, key: &str) -> usize {
    let is_there = |line: &str| line.split('=').next().is_some_and(|name| name.trim() == key);
    text.lines().position(is_there).map_or(1, |place| place + 1)
}

fn invalid(error: &toml::de::Error, text: &str, file: &Path) -> Error {
    let start = error.span().map_or(0, |span| span.start).min(text.len());
    let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
    // Some messages have several lines; an error is one sentence.
    let problem = error.message().split('\n').collect::<Vec<_>>().join("; ");
    Error::Invalid { file: file.to_owned(), line, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "endpoint = 'a.test'\nca_file = 'ca.pem'\n";

    fn parse(lines: &str) -> Result<Config, String> {
        Config::parse(&format!("{LEAST}{lines}"), Path::new("/etc/atecc/agent.toml"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn two_lines_are_enough() {
        let config = parse("").unwrap();
        assert_eq!((config.port, config.alpn.as_deref()), (8883, None));
        assert_eq!(config.ca_file, Path::new("/etc/atecc/ca.pem"));
        assert_eq!(config.telemetry.interval, Duration::from_secs(60));
        assert!(config.shadow.enabled && config.device.is_none() && config.certificate_file.is_none());
    }

    #[test]
    fn port_443_brings_alpn_unless_told_otherwise() {
        assert_eq!(parse("port = 443").unwrap().alpn.as_deref(), Some("x-amzn-mqtt-ca"));
        assert_eq!(parse("port = 443\nalpn = ''").unwrap().alpn, None);
        assert_eq!(parse("alpn = 'mqtt'").unwrap().alpn.as_deref(), Some("mqtt"));
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_line() {
        let error = parse("\n[telemetry]\nintervall_seconds = 5").unwrap_err();
        assert!(
            error.starts_with("/etc/atecc/agent.toml, line 5: unknown field `intervall_seconds`"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_key_is_named() {
        let error = Config::parse("endpoint = 'a.test'", Path::new("x.toml")).unwrap_err().to_string();
        assert!(error.contains("missing field `ca_file`"), "{error}");
    }

    #[test]
    fn bad_values_are_errors_with_their_line() {
        for (line, says) in [
            ("port = 0", "line 3"),
            ("port = 70000", "line 3"),
            ("address = 'localhost'", "host:port"),
            ("device = 'floppy:a'", "line 3"),
            ("key = 'pkcs11:tokn=a'", "line 3"),
            ("proxy = 'proxy:3128'", "line 3"),
            ("proxy = 'http://p:1'\nproxy_password_file = 'p'", "line 4"),
            ("tls = '1.1'", "line 3"),
            ("mqtt = '3.1'", "line 3"),
            ("[last_will]\nmessage = 'x'", "line 3"),
            ("key = 'key.pem'\ndevice = 'i2c:/dev/i2c-1'", "line 3"),
            ("client_id = '{mac}'", "placeholder"),
            ("[telemetry]\ninterval_seconds = 0", "line 4"),
            ("[shadow]\nenabled = 'yes'", "line 4"),
            ("[shadow]\nname = 'a b'", "line 4"),
            (
                "\n[[lines]]\nproperty = 'a'\nchip = 'gpiochip0'",
                "line 4: line \"a\": `chip` needs `offset` or `line`",
            ),
            ("[[lines]]\nproperty = 'a'\n[[lines]]\nproperty = 'a'", "two lines are called \"a\""),
            ("[[lines]]\nproperty = 'a'\ndirection = 'input'\nsafe = true", "only an output"),
            ("[[toggles]]\ntopic = 'x'\nline = 'fan'", "line 3: \"fan\" in [[toggles]] is no output"),
            ("[defender]\ninterval_seconds = 299", "line 4: AWS takes"),
            ("[jobs]\nallow = ['everything']", "line 4"),
            ("[jobs]\ncommands = [{ name = 'a', argv = ['sh', '-c'] }]", "full path"),
            (
                "[jobs]\ncommands = [{ name = 'a', argv = ['/a'] }, { name = 'a', argv = ['/b'] }]",
                "line 3: [jobs] needs",
            ),
            ("[local]\nlisten = '0.0.0.0:1883'", "loopback"),
            ("[status]\nlisten = '0.0.0.0:8608'", "loopback"),
            ("[outbox]\nwhen_full = 'explode'", "line 4"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(says) && !error.contains('\n'), "{line}: {error}");
        }
    }

    #[test]
    fn a_key_file_lies_beside_the_configuration_and_a_pin_is_in_no_error() {
        let key = parse("key = 'gateway.pem'").unwrap().key.unwrap();
        assert_eq!(key, KeySource::File("/etc/atecc/gateway.pem".into()));
        for line in
            ["key = 'pkcs11:tokn=a?pin-value=4711'", "key = 'pkcs11:token=a?pin-value=4711&pin-source=a'"]
        {
            let error = parse(line).unwrap_err();
            assert!(error.contains("line 3") && !error.contains("4711"), "{error}");
        }
        assert!(!format!("{:?}", parse("key = 'pkcs11:token=a?pin-value=4711'").unwrap()).contains("4711"));
    }

    #[test]
    fn the_longest_wait_is_never_shorter_than_the_first() {
        let reconnect = parse("[reconnect]\nfirst_seconds = 300").unwrap().reconnect;
        assert_eq!(reconnect.longest, Duration::from_secs(300));
    }

    #[test]
    fn the_example_is_valid_and_shows_the_defaults() {
        let text = include_str!("../agent.example.toml");
        let shown = Config::parse(text, Path::new("/etc/atecc/agent.toml")).unwrap();
        assert_eq!(shown.port, 8883);
        assert!(shown.provision.is_none());
        // With every commented key switched on it is still valid. Of the ways to say which key or line it is there can be
        // one, and `text` shows an example.
        let one_of =
            ["#: key = ", "#: slot", "#: new_key", "#: claim_file", "#: line = \"GPIO17\"", "#: text = "];
        let (before, krypton) = text.split_once("#: [provision.krypton]").unwrap();
        // It takes the place of a claim.
        let (_, behind) = krypton.split_once("#: rotate_days").unwrap();
        let lines = before.lines().chain(behind.lines().skip(1));
        let lines = lines.filter(|line| !one_of.iter().any(|other| line.starts_with(other)));
        let all: String =
            lines.map(|line| line.strip_prefix("#: ").unwrap_or(line).to_owned() + "\n").collect();
        let config = Config::parse(&all, Path::new("/etc/atecc/agent.toml")).unwrap();
        let subject = Subject { common_name: Some("snX".to_owned()), serial: Some("X".to_owned()) };
        // [local], [[toggles]] and [last_will] show examples, because their default is not to be there.
        let names = Names {
            local: Default::default(),
            toggles: Vec::new(),
            last_will: None,
            ..config.names(&subject).unwrap()
        };
        assert_eq!(names, shown.names(&subject).unwrap());
        assert_eq!(config.provision.unwrap().key, KeyOrigin::Own { new: false });
        assert_eq!(config.reconnect, shown.reconnect);
        assert_eq!(config.telemetry.interval, shown.telemetry.interval);
        assert_eq!(config.outbox.most_bytes, shown.outbox.most_bytes);
        assert_eq!(config.outbox.sync, shown.outbox.sync);
    }

    #[test]
    fn the_example_of_krypton_is_valid() {
        let text = include_str!("../agent.example.toml");
        let start = text.find("#: [provision.krypton]").unwrap();
        let lines = text[start..].lines().take_while(|line| !line.starts_with("#: rotate_days"));
        let lines: String =
            lines.map(|line| line.strip_prefix("#: ").unwrap_or(line).to_owned() + "\n").collect();
        let sim = lines.replace("access = \"cellular\"", "access = \"sim\"");
        let config = parse(&format!("[provision]\nrotate_days = 90\n{sim}")).unwrap().provision.unwrap();
        assert!(matches!(config.way, Way::Krypton(_)) && config.key == KeyOrigin::Issued);
    }

    fn provision(lines: &str) -> Result<Config, String> {
        parse(&format!("{lines}\n[outbox]\nfolder = 'o'\n"))
    }

    #[test]
    fn an_own_key_gets_a_certificate_file_and_an_issued_one_a_file_for_both() {
        let own = provision("[provision]\ntemplate = 't'\nclaim_key = 'claim.key'").unwrap();
        assert_eq!(own.certificate_file.as_deref(), Some(Path::new("/etc/atecc/o/certificate.pem")));
        let Way::Fleet(fleet) = own.provision.unwrap().way else { panic!("no fleet") };
        let key = KeySource::File("/etc/atecc/claim.key".into());
        assert_eq!(fleet.claim, Claim::Shared { key, certificate: None });
        let issued = provision("[provision]\ntemplate = 't'\nclaim_file = 'c.json'\nkey = 'issued'").unwrap();
        assert_eq!(issued.key, Some(KeySource::File("/etc/atecc/o/device.pem".into())));
        assert_eq!(issued.certificate_file, None);
        let krypton = provision("[provision]\n[provision.krypton]\naccess = 'cellular'").unwrap();
        assert!(matches!(krypton.provision.unwrap().way, Way::Krypton(_)));
        let slot = "slot = 2\n[provision]\ntemplate = 't'\nclaim_key = 'claim.key'\nnew_key = true";
        assert_eq!(provision(slot).unwrap().provision.unwrap().key, KeyOrigin::Own { new: true });
    }

    #[test]
    fn settings_of_provisioning_that_do_not_go_together_are_errors_with_their_line() {
        for (lines, says) in [
            ("[provision]\ntemplate = 't'", "needs one of `claim_key`"),
            ("[provision]\ntemplate = 't'\nclaim_key = 'a'\nclaim_file = 'b'", "needs one of `claim_key`"),
            ("[provision]\nclaim_key = 'a'", "`template`"),
            ("[provision]\ntemplate = 'a/b'\nclaim_key = 'a'", "no name of a template"),
            (
                "[provision]\ntemplate = 't'\nclaim_file = 'a'\nclaim_certificate = 'b'",
                "belongs to `claim_key`",
            ),
            ("[provision]\ntemplate = 't'\nclaim_key = 'a'\nnew_key = true", "say which with `slot`"),
            ("slot = 1\n[provision]\ntemplate = 't'\nclaim_key = 'a'\nnew_key = true", "line 4"),
            ("[provision]\ntemplate = 't'\nclaim_key = 'a'\nkey = 'issued'\nnew_key = true", "one of them"),
            (
                "device = 'i2c:/dev/i2c-1'\n[provision]\ntemplate = 't'\nclaim_key = 'a'\nkey = 'issued'",
                "no place",
            ),
            (
                "certificate_file = 'x'\n[provision]\ntemplate = 't'\nclaim_key = 'a'\nkey = 'issued'",
                "leave out",
            ),
            ("[provision]\ntemplate = 't'\nclaim_key = 'a'\nrotate_days = 9", "`rotate_days`"),
            ("[provision]\ntemplate = 't'\n[provision.krypton]\naccess = 'sim'", "`sim_command`"),
            ("[provision]\n[provision.krypton]\naccess = 'cellular'\nimsi = '1'", "are for access"),
            ("[provision]\n[provision.krypton]\naccess = 'cellular'\nurl = 'http://a'", "https://"),
            ("[provision]\ntemplat = 't'", "unknown field"),
            ("slot = 9", "slots 0 to 7"),
            ("slot = 2\nkey = 'a.pem'", "line 3"),
        ] {
            let error = provision(lines).unwrap_err();
            assert!(error.contains(says) && error.contains("agent.toml, line "), "{lines}: {error}");
        }
    }

    #[test]
    fn blinky_is_valid() {
        let config = Config::parse(include_str!("../blinky.example.toml"), Path::new("blinky.toml")).unwrap();
        let common_name = Some("sn0123456789ABCDEF01".to_owned());
        let names = config.names(&Subject { common_name, serial: None }).unwrap();
        assert_eq!(names.commands, "sn0123456789ABCDEF01/#");
        assert_eq!(names.toggles, [("sn0123456789ABCDEF01/blink".to_owned(), "led".to_owned())]);
        assert_eq!(names.telemetry, "sn0123456789ABCDEF01/");
        assert_eq!(names.telemetry_text.as_deref(), Some("Hello from sn0123456789ABCDEF01: {sequence}"));
    }

    #[test]
    fn an_outbox_is_where_the_file_says() {
        use crate::outbox::{Sync, WhenFull};
        let outbox = parse(
            "[outbox]\nfolder = 'o'\nmegabytes = 2\nhours = 3\nwhen_full = 'drop-oldest'\nsync = 'each'",
        );
        let outbox = outbox.unwrap().outbox;
        assert_eq!(outbox.folder.as_deref(), Some(Path::new("/etc/atecc/o")));
        assert_eq!((outbox.most_bytes, outbox.longest_wait), (2 << 20, Some(Duration::from_secs(3 * 3600))));
        assert_eq!((outbox.when_full, outbox.sync), (WhenFull::DropOldest, Sync::Each));
    }
}
