//! `atecc-agent check`: one thing broken at a time, found under its name, with its fix.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use iot_core_emulator::{CertificateId, Event, Listener, Status};
use serde::Deserialize;

use super::daemon::Daemon;
use super::{LINES, Stage};
use crate::support::{Finished, Running, ServerCertificate, free_port, program, run};

#[derive(Debug, Deserialize)]
struct Report {
    healthy: bool,
    findings: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
struct Finding {
    check: String,
    state: String,
    found: String,
    fix: Option<String>,
}

const OUTBOX: &str = "[outbox]\nfolder = 'outbox'\n";

fn check(config: &Path, arguments: &[&str]) -> (Report, Finished) {
    let mut command = Command::new(program("atecc-agent"));
    command.arg("check").arg("--config").arg(config).args(arguments).arg("--json");
    for variable in ["ATECC_DEVICE", "ATECC_LOG", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(variable);
    }
    let finished = run(&mut command);
    let report = serde_json::from_slice(&finished.stdout);
    (report.unwrap_or_else(|error| panic!("{error}: {}", finished.all())), finished)
}

/// Exactly these checks are wrong, the last of them in words with `found`, and its fix says `fix`.
#[track_caller]
fn finds(config: &Path, code: i32, wrong: &[&str], found: &str, fix: &str) {
    let (report, finished) = check(config, &[]);
    finished.failed_with(code);
    assert!(!report.healthy);
    let list: Vec<_> = report.findings.iter().filter(|finding| finding.state == "wrong").collect();
    let names: Vec<_> = list.iter().map(|finding| finding.check.as_str()).collect();
    assert_eq!(names, wrong, "{report:#?}");
    let last = list.last().unwrap();
    assert!(last.found.contains(found), "{last:?}");
    assert!(last.fix.as_ref().unwrap().contains(fix), "{last:?}");
    println!("{}: {}\n    to mend it: {}", last.check, last.found, last.fix.as_ref().unwrap());
}

impl Stage {
    /// The device's line, and these.
    fn lines(&self, lines: &str) -> std::path::PathBuf {
        self.configure(&format!("{lines}{OUTBOX}"))
    }

    fn certificate(&self) -> CertificateId {
        let mut openssl = Command::new("openssl");
        openssl.args(["x509", "-outform", "DER", "-in"]).arg(self.chip.path("device.pem"));
        CertificateId::of(&run(&mut openssl).succeeded().stdout)
    }

    /// Lets the chip do only this.
    fn allow(&self, statements: &str) {
        let policy = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
        self.cloud.core.registry().create_policy("some", &policy).unwrap();
        self.cloud.core.registry().attach_policy("some", &self.certificate()).unwrap();
    }
}

/// A chip that is registered, with no policy yet.
fn without_policy() -> Stage {
    let stage = Stage { cloud: super::Cloud::new(), chip: super::Chip::new() };
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-outform", "DER", "-in"]).arg(stage.chip.path("device.pem"));
    let der = run(&mut openssl).succeeded().stdout;
    stage.cloud.core.registry().register_certificate(&der, Status::Active).unwrap();
    stage
}

#[test]
fn a_set_up_without_fault_is_healthy() {
    let stage = Stage::new();
    let config = stage.lines("");
    let (report, finished) = check(&config, &[]);
    finished.succeeded();
    assert!(report.healthy);
    let checks: Vec<_> = report.findings.iter().map(|finding| finding.check.as_str()).collect();
    for name in [
        "configuration",
        "clock",
        "disk",
        "roots",
        "key",
        "signature",
        "certificate",
        "names",
        "tcp",
        "server",
        "tls",
        "registration",
        "publish",
        "subscribe",
    ] {
        assert!(checks.contains(&name), "{name}: {checks:?}");
    }
    for finding in report.findings {
        // The chip of the tests is no chip, and the folder of the tests may be in memory.
        let expected = match finding.check.as_str() {
            "key" => finding.state == "warning" && finding.found.contains("EMULATOR"),
            "outbox" | "clock" | "disk" => finding.state != "wrong",
            _ => finding.state == "ok" && finding.fix.is_none(),
        };
        assert!(expected, "{finding:?}");
    }
    let mut text = Command::new(program("atecc-agent"));
    text.args(["check", "--offline", "--config"]).arg(&config);
    let text = run(&mut text).succeeded().text();
    assert!(text.contains("ok       signature") && !text.contains("dns"), "{text}");
}

#[test]
fn mistakes_in_files_are_found() {
    let stage = Stage::new();
    finds(&stage.cloud.path("none.toml"), 2, &["configuration"], "none.toml", "agent.example.toml");
    finds(
        &stage.lines("colour = 'red'\n"),
        2,
        &["configuration"],
        "line 6: unknown field `colour`",
        "correct",
    );
    let config = stage.lines("thing_name = 'a b'\n");
    finds(&config, 1, &["names"], "thing_name is \"a b\"", "in the configuration");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("'ca.pem'", "'none.pem'").replace("thing_name", "#")).unwrap();
    finds(&config, 1, &["roots"], "none.pem", "AmazonRootCA1.pem");
    fs::write(&config, text.replace("'ca.pem'", "'agent.toml'").replace("thing_name", "#")).unwrap();
    finds(&config, 1, &["roots"], "no usable CA certificate", "ca_file");
}

#[test]
fn a_key_that_is_absent_or_not_that_of_the_certificate_is_found() {
    let stage = Stage::new();
    let signer = stage.chip.path("signer.pem").display().to_string();
    finds(
        &stage.lines(&format!("certificate_file = '{signer}'\n")),
        1,
        &["key"],
        "is not for the key",
        "CSR",
    );
    let config = stage.lines("");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("chip.eeprom", "none.eeprom")).unwrap();
    finds(&config, 1, &["key"], "none.eeprom", "");
}

/// A certificate made for a key in a file, that ends after so many days.
fn certificate(folder: &Path, days: &str) {
    let openssl = |arguments: &[&str]| {
        let mut openssl = Command::new("openssl");
        run(openssl.current_dir(folder).args(arguments)).succeeded();
    };
    openssl(&["ecparam", "-genkey", "-noout", "-name", "prime256v1", "-out", "key.pem"]);
    openssl(&["req", "-new", "-key", "key.pem", "-subj", "/CN=gateway-7", "-out", "request.pem"]);
    openssl(&[
        "x509",
        "-req",
        "-in",
        "request.pem",
        "-signkey",
        "key.pem",
        "-days",
        days,
        "-out",
        "leaf.pem",
    ]);
}

#[test]
fn a_certificate_that_ended_or_soon_will_is_found() {
    let stage = Stage::new();
    certificate(stage.cloud.folder.path(), "-1");
    let config = stage
        .cloud
        .config(Listener::Mqtt, &format!("key = 'key.pem'\ncertificate_file = 'leaf.pem'\n{OUTBOX}"));
    // The server has never heard of it, either.
    finds(&config, 1, &["certificate", "registration"], "", "");
    certificate(stage.cloud.folder.path(), "5");
    let (report, _) = check(&config, &["--offline"]);
    let soon = report.findings.iter().find(|finding| finding.check == "certificate").unwrap();
    assert!(soon.state == "warning" && soon.found.contains("it expires on"), "{soon:?}");
}

#[test]
fn a_way_that_leads_nowhere_is_found() {
    let stage = Stage::new();
    let config = stage.lines("");
    let text = fs::read_to_string(&config).unwrap();
    let address = stage.cloud.core.mqtt_address().to_string();
    let endpoint = stage.cloud.core.endpoint();
    fs::write(&config, text.replace(&address, "no-such-host.invalid:8883")).unwrap();
    finds(&config, 1, &["dns"], "no-such-host.invalid", "resolv.conf");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    fs::write(&config, text.replace(&address, &closed)).unwrap();
    finds(&config, 1, &["tcp"], "refused", "firewall");
    // Somebody who speaks no TLS.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = other.local_addr().unwrap().to_string();
    std::thread::spawn(move || other.incoming().for_each(drop));
    fs::write(&config, text.replace(&address, &place)).unwrap();
    finds(&config, 1, &["tls"], "broke in the TLS handshake", "is that a TLS port");
    fs::write(&config, text.replace(endpoint, "another.example")).unwrap();
    // An account that nobody has: the server hangs up.
    finds(&config, 1, &["tls"], "broke in the TLS handshake", "`endpoint` and `alpn` right");
    fs::copy(stage.chip.path("root.pem"), stage.cloud.path("ca.pem")).unwrap();
    fs::write(&config, &text).unwrap();
    finds(&config, 1, &["server"], "not signed by the CA", "is that the CA of");
}

/// Its certificate is good, and for somebody else.
#[test]
fn a_server_of_another_name_is_found() {
    let stage = Stage::new();
    let certificate = ServerCertificate::new();
    fs::copy(certificate.root(), stage.cloud.path("ca.pem")).unwrap();
    let port = free_port();
    let mut openssl = Command::new("openssl");
    openssl.args(["s_server", "-quiet", "-accept", &port.to_string()]);
    openssl.arg("-cert").arg(certificate.certificate()).arg("-key").arg(certificate.key());
    let _server = Running::start(&mut openssl);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let config = stage.lines("");
    let text = fs::read_to_string(&config).unwrap();
    let address = stage.cloud.core.mqtt_address().to_string();
    fs::write(&config, text.replace(&address, &format!("127.0.0.1:{port}"))).unwrap();
    finds(&config, 1, &["server"], "for another name", "check `endpoint`");
}

#[test]
fn a_protocol_that_the_server_does_not_speak_is_found() {
    let stage = Stage::new();
    let device = stage.chip.device();
    let config =
        stage.cloud.config(Listener::Alpn, &format!("alpn = 'http/1.1'\ndevice = '{device}'\n{OUTBOX}"));
    finds(&config, 1, &["tls"], "broke in the TLS handshake", "`alpn` right");
}

#[test]
fn a_certificate_that_the_cloud_does_not_know_or_trust_is_found() {
    let stage = Stage { cloud: super::Cloud::new(), chip: super::Chip::new() };
    finds(&stage.lines(""), 1, &["registration"], "", "registered");
    let stage = Stage::new();
    stage.cloud.core.registry().set_status(&stage.certificate(), Status::Inactive).unwrap();
    finds(&stage.lines(""), 1, &["registration"], "", "active");
    finds(&without_policy().lines(""), 1, &["registration"], "", "policy");
}

const CONNECT: &str = r#"{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}"#;

#[test]
fn what_the_policy_forbids_is_found_by_name() {
    let stage = without_policy();
    stage.allow(&format!(
        r#"{CONNECT}, {{"Effect": "Allow", "Action": ["iot:Subscribe", "iot:Receive"], "Resource": "*"}}"#
    ));
    finds(&stage.lines(""), 1, &["publish"], "/telemetry", "iot:Publish on topic/");
    let stage = without_policy();
    let thing = stage.chip.common_name();
    stage.allow(&format!(
        r#"{CONNECT}, {{"Effect": "Allow", "Action": "iot:Publish", "Resource": "*"}},
        {{"Effect": "Allow", "Action": "iot:Subscribe", "Resource": "arn:aws:iot:emulator-1:000000000000:topicfilter/{thing}/*"}}"#
    ));
    let (report, finished) = check(&stage.lines(""), &[]);
    finished.failed_with(1);
    let wrong: Vec<_> = report.findings.iter().filter(|finding| finding.state == "wrong").collect();
    assert!(!wrong.is_empty() && wrong.iter().all(|finding| finding.check == "subscribe"), "{report:#?}");
    assert!(wrong.iter().all(|finding| finding.found.contains("$aws/things/")), "{report:#?}");
    assert!(wrong[0].fix.as_ref().unwrap().contains("iot:Subscribe on topicfilter/$aws"), "{:?}", wrong[0]);
    let allowed = report
        .findings
        .iter()
        .any(|finding| finding.check == "subscribe" && finding.found.ends_with("/commands"));
    assert!(allowed, "{report:#?}");
}

#[test]
fn a_disk_that_cannot_hold_the_outbox_is_found() {
    let stage = Stage::new();
    finds(&stage.configure("[outbox]\nfolder = 'ca.pem'\n"), 1, &["outbox"], "is no folder", "[outbox]");
    finds(&stage.configure("[outbox]\nfolder = '/proc/atecc'\n"), 1, &["disk"], "0 MiB free", "make room");
    let (report, _) =
        check(&stage.configure("[outbox]\nfolder = 'o'\nmegabytes = 400000000\n"), &["--offline"]);
    let disk = report.findings.iter().find(|finding| finding.check == "disk").unwrap();
    assert!(disk.state == "warning" && disk.fix.as_ref().unwrap().contains("megabytes"), "{disk:?}");
    let shm = tempfile::tempdir_in("/dev/shm").unwrap();
    let (report, _) =
        check(&stage.configure(&format!("[outbox]\nfolder = '{}'\n", shm.path().display())), &["--offline"]);
    let memory = report.findings.iter().find(|finding| finding.check == "outbox").unwrap();
    assert!(memory.state == "warning" && memory.found.contains("in memory"), "{memory:?}");
}

#[test]
fn a_port_that_somebody_else_has_is_found() {
    let stage = Stage::new();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap();
    finds(
        &stage.lines(&format!("status.listen = '{taken}'\n")),
        1,
        &["port"],
        &taken.to_string(),
        "[status]",
    );
}

/// Its connection is not cut for a question.
#[test]
fn an_agent_that_runs_is_left_alone() {
    let stage = Stage::new();
    let bus = stage.chip.serve();
    let config = stage.configure(LINES);
    let mut command = crate::gateway::agent(&config);
    let mut daemon = Daemon::start(command.args(["--device", &bus.device()]));
    daemon.says("PUBACK");
    let (report, finished) = check(&config, &["--device", &bus.device()]);
    finished.succeeded();
    let registration = report.findings.iter().find(|finding| finding.check == "registration").unwrap();
    assert!(registration.state == "skipped" && registration.fix.as_ref().unwrap().contains("--take-over"));
    let connections = |event: &Event| matches!(event, Event::Connected { .. });
    assert_eq!(stage.cloud.core.events().filter(connections).count(), 1);
}
