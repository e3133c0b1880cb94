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
    assert!(error.starts_with("/etc/atecc/agent.toml, line 5: unknown field `intervall_seconds`"), "{error}");
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
    for line in ["key = 'pkcs11:tokn=a?pin-value=4711'", "key = 'pkcs11:token=a?pin-value=4711&pin-source=a'"]
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
    let text = include_str!("../../agent.example.toml");
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
    let all: String = lines.map(|line| line.strip_prefix("#: ").unwrap_or(line).to_owned() + "\n").collect();
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
    let text = include_str!("../../agent.example.toml");
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
        ("[provision]\ntemplate = 't'\nclaim_file = 'a'\nclaim_certificate = 'b'", "belongs to `claim_key`"),
        ("[provision]\ntemplate = 't'\nclaim_key = 'a'\nnew_key = true", "say which with `slot`"),
        ("slot = 1\n[provision]\ntemplate = 't'\nclaim_key = 'a'\nnew_key = true", "line 4"),
        ("[provision]\ntemplate = 't'\nclaim_key = 'a'\nkey = 'issued'\nnew_key = true", "one of them"),
        (
            "device = 'i2c:/dev/i2c-1'\n[provision]\ntemplate = 't'\nclaim_key = 'a'\nkey = 'issued'",
            "no place",
        ),
        ("certificate_file = 'x'\n[provision]\ntemplate = 't'\nclaim_key = 'a'\nkey = 'issued'", "leave out"),
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
    let config = Config::parse(include_str!("../../blinky.example.toml"), Path::new("blinky.toml")).unwrap();
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
    let outbox =
        parse("[outbox]\nfolder = 'o'\nmegabytes = 2\nhours = 3\nwhen_full = 'drop-oldest'\nsync = 'each'");
    let outbox = outbox.unwrap().outbox;
    assert_eq!(outbox.folder.as_deref(), Some(Path::new("/etc/atecc/o")));
    assert_eq!((outbox.most_bytes, outbox.longest_wait), (2 << 20, Some(Duration::from_secs(3 * 3600))));
    assert_eq!((outbox.when_full, outbox.sync), (WhenFull::DropOldest, Sync::Each));
}
