//! The program itself: exit codes, what it says, signals.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use atecc_agent::tls::Roots;
use atecc_emulator::{EepromFile, provision};
use iot_core_emulator::{Event, IotCore, Options, Reason, Status};
use tempfile::TempDir;

use crate::{LIMIT, foreign_root};

/// A chip that no token holds open, since the program opens it, and a cloud that knows it.
struct Outside {
    cloud: IotCore,
    folder: TempDir,
}

impl Outside {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        EepromFile::create(&folder.path().join("chip.eeprom"), &provision::tng_tls().unwrap()).unwrap();
        let cloud = IotCore::start(Options::default()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), cloud.root_certificate_pem()).unwrap();
        let outside = Self { cloud, folder };
        outside.register();
        outside
    }

    fn register(&self) {
        let token = atecc_token::Token::open(&self.device().parse().unwrap()).unwrap();
        let registry = self.cloud.registry();
        let id =
            registry.register_certificate(&token.certificates().unwrap().device, Status::Active).unwrap();
        let policy = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}}"#;
        registry.create_policy("all", policy).unwrap();
        registry.attach_policy("all", &id).unwrap();
    }

    fn device(&self) -> String {
        format!("emulator:{}", self.folder.path().join("chip.eeprom").display())
    }

    fn config(&self, ca_file: &str, more: &str) -> PathBuf {
        let (endpoint, address) = (self.cloud.endpoint(), self.cloud.alpn_address());
        let text = format!(
            "endpoint = '{endpoint}'\nport = 443\naddress = '{address}'\nca_file = '{ca_file}'\n{more}\n[outbox]\nfolder = 'outbox'\n"
        );
        let file = self.folder.path().join("agent.toml");
        std::fs::write(&file, text).unwrap();
        file
    }
}

fn agent(config: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_atecc-agent"));
    command.args(["run", "--config"]).arg(config).env_remove("ATECC_DEVICE").env_remove("ATECC_LOG");
    command
}

/// Exit code and the last line of what it said.
fn outcome(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    (status.code(), said.lines().last().unwrap_or_default().to_owned())
}

#[test]
fn once_exits_with_0_and_the_emulated_chip_is_marked() {
    let outside = Outside::new();
    let config = outside.config("ca.pem", "");
    let output = agent(&config).args(["--once", "--device", &outside.device()]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(said.matches("EMULATOR").count(), 1, "{said}");
    assert!(said.contains("PUBACK"), "{said}");
}

#[test]
fn a_signal_ends_the_daemon_in_good_order() {
    for signal in ["TERM", "INT"] {
        let outside = Outside::new();
        let config = outside.config("ca.pem", &format!("device = '{}'\n", outside.device()));
        let mut child = agent(&config).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap());
        let mut lines = said.lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("PUBACK")), "no telemetry");
        // The shell's own `kill`: the program of that name is not on every Debian.
        let kill =
            Command::new("sh").args(["-c", &format!("kill -s {signal} {}", child.id())]).status().unwrap();
        assert!(kill.success());
        let rest: Vec<_> = lines.collect();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{rest:?}");
        let goodbye = |event: &Event| matches!(event, Event::Disconnected { reason: Reason::Goodbye, .. });
        outside.cloud.wait_for(LIMIT, goodbye).unwrap();
    }
}

#[test]
fn mistakes_in_the_configuration_exit_with_2_and_name_the_line() {
    let outside = Outside::new();
    let device = outside.device();
    let config = outside.config("ca.pem", "colour = 'red'\n");
    let (code, said) = outcome(agent(&config).args(["--device", &device]));
    assert_eq!(code, Some(2));
    assert!(said.contains("agent.toml, line 5: unknown field `colour`"), "{said}");

    let (code, said) = outcome(agent(&outside.folder.path().join("none.toml")).args(["--device", &device]));
    assert!(code == Some(2) && said.contains("none.toml"), "{said}");

    let config = outside.config("no-such.pem", "");
    let (code, said) = outcome(agent(&config).args(["--device", &device]));
    assert!(code == Some(2) && said.contains("no-such.pem"), "{said}");

    let config = outside.config("ca.pem", "");
    let (code, said) = outcome(agent(&config).args(["--device", "floppy:a"]));
    assert!(code == Some(2) && said.contains("floppy:a"), "{said}");

    let (code, said) = outcome(agent(&config).args(["--log", "info,=x="]));
    assert!(code == Some(2) && said.contains("log filter"), "{said}");
}

#[test]
fn an_unusable_chip_exits_with_1() {
    let outside = Outside::new();
    let config = outside.config("ca.pem", "");
    let missing = outside.folder.path().join("none.eeprom");
    let device = format!("emulator:{}", missing.display());
    let (code, said) = outcome(agent(&config).args(["--device", &device]));
    assert!(code == Some(1) && said.contains("none.eeprom"), "{said}");
    assert!(!missing.exists());
}

#[test]
fn a_wrong_root_exits_with_1_within_seconds() {
    let outside = Outside::new();
    Roots::from_file(&foreign_root(outside.folder.path())).unwrap();
    let config = outside.config("foreign.pem", "");
    let start = Instant::now();
    let (code, said) = outcome(agent(&config).args(["--once", "--device", &outside.device()]));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("atecc-agent: the server's certificate is not signed by the CA in "), "{said}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

/// The chain of a file is shown if it is for the chip's key, and no other.
#[test]
fn a_certificate_file_takes_the_place_of_the_chips_certificates() {
    let outside = Outside::new();
    let token = atecc_token::Token::open(&outside.device().parse().unwrap()).unwrap();
    let certificates = token.certificates().unwrap();
    drop(token);
    // Of the signer's certificate, whose key is another, first; then as it must be.
    let pem = certificates.chain_pem();
    let (device, signer) = pem.split_at(pem.find("-----END CERTIFICATE-----\n").unwrap() + 26);
    std::fs::write(outside.folder.path().join("own.pem"), [signer, device].concat()).unwrap();
    let config = outside.config("ca.pem", "certificate_file = 'own.pem'\n");
    let mut once = agent(&config);
    once.args(["--once", "--device", &outside.device()]);
    let (code, said) = outcome(&mut once);
    assert!(code != Some(0) && said.contains("own.pem: its first certificate is not for the key"), "{said}");
    std::fs::write(outside.folder.path().join("own.pem"), &pem).unwrap();
    assert_eq!(outcome(&mut once).0, Some(0));
    std::fs::remove_file(outside.folder.path().join("own.pem")).unwrap();
    let (code, said) = outcome(&mut once);
    assert!(code != Some(0) && said.contains("own.pem"), "{said}");
}
