//! A real mosquitto that lets in only who proves a certificate, and takes the name from its CN.

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::support::{Chip, Running, ServerCertificate, free_port, module, program, run};

/// The key as users write it.
const KEY: &str = "pkcs11:object=device;type=private";

pub(crate) struct Broker {
    port: u16,
    certificate: ServerCertificate,
    _folder: TempDir,
    _process: Running,
}

impl Broker {
    /// A broker in which each client with a certificate under the root in this file may use the topics below its own
    /// name only.
    pub(crate) fn start(root: &Path) -> Self {
        let certificate = ServerCertificate::new();
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let (config, acl) = (folder.path().join("mosquitto.conf"), folder.path().join("acl"));
        fs::write(&acl, "pattern readwrite gw/%u/#\n").unwrap();
        fs::write(
            &config,
            format!(
                "listener {port} 127.0.0.1\nuser root\ncafile {}\ncertfile {}\nkeyfile {}\n\
                 require_certificate true\nuse_identity_as_username true\nacl_file {}\n",
                root.display(),
                certificate.certificate().display(),
                certificate.key().display(),
                acl.display(),
            ),
        )
        .unwrap();
        let process = Running::start(Command::new("mosquitto").arg("-c").arg(&config).arg("-v"));
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "mosquitto does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Self { port, certificate, _folder: folder, _process: process }
    }

    /// Where it listens, on the loopback interface.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `atecc-agent run` for this broker, with the chip `device` and the name in its certificate. The configuration goes
    /// into `folder`.
    pub(crate) fn agent(&self, folder: &Path, name: &str, device: &str) -> Command {
        let config = folder.join("agent.toml");
        fs::write(
            &config,
            format!(
                "endpoint = \"localhost\"\nport = {}\nca_file = {:?}\ndevice = {device:?}\nclient_id = {name:?}\n\
                 thing_name = {name:?}\n\n[telemetry]\ntopic = \"gw/{name}/telemetry\"\n",
                self.port,
                self.certificate.root(),
            ),
        )
        .unwrap();
        let mut agent = Command::new(program("atecc-agent"));
        agent.arg("run").arg("--config").arg(&config);
        agent
    }
}

/// A mosquitto client whose key is in the chip.
///
/// Debian's 2.0.11 opens the key as a file before it hears that an engine has it (mended in 2.0.16). An empty
/// file whose name is the URI, in the working directory, is the way round.
fn client(name: &str, chip: &Chip, device: &str, broker: &Broker) -> Command {
    fs::write(chip.folder().join(KEY), "").unwrap();
    let mut command = Command::new(name);
    command.current_dir(chip.folder()).env("PKCS11_MODULE_PATH", module()).env("ATECC_DEVICE", device);
    command.args(["-h", "localhost", "-p", &broker.port.to_string(), "-V", "mqttv5", "-q", "1", "-d"]);
    command.args(["--tls-engine", "pkcs11", "--keyform", "engine", "--key", KEY]);
    command.arg("--cert").arg(chip.path("chain.pem")).arg("--cafile").arg(broker.certificate.root());
    command
}

#[test]
fn mosquitto_pub_and_sub_with_the_key_in_the_chip() {
    let chip = Chip::new();
    let bus = chip.serve();
    let broker = Broker::start(&chip.path("root.pem"));
    let topic = format!("gw/{}/door", chip.common_name());
    let mut subscriber = client("mosquitto_sub", &chip, &bus.device(), &broker);
    let subscriber = Running::start(subscriber.args(["-t", &topic, "-C", "1", "-W", "30"]));
    // Until the message has come: the subscriber's TLS handshake takes its time.
    thread::sleep(Duration::from_secs(2));
    let mut publisher = client("mosquitto_pub", &chip, &bus.device(), &broker);
    let published = run(publisher.args(["-t", &topic, "-m", "open"])).succeeded();
    assert!(published.text().contains("received PUBACK"), "{}", published.all());
    let received = subscriber.finish(Duration::from_secs(30)).succeeded();
    assert!(received.text().contains("open"), "{}", received.all());
}

#[test]
fn the_name_comes_from_the_certificate() {
    let chip = Chip::new();
    let broker = Broker::start(&chip.path("root.pem"));
    let mut publisher = client("mosquitto_pub", &chip, &chip.device(), &broker);
    let foreign = run(publisher.args(["-t", "gw/somebody-else/door", "-m", "open"]));
    // MQTT 5 says that the broker refused: reason code 135, not authorized.
    assert!(foreign.all().contains("Not authorized"), "{}", foreign.all());
}

#[test]
fn the_agent_publishes_through_mosquitto() {
    let chip = Chip::new();
    let broker = Broker::start(&chip.path("root.pem"));
    let mut agent = broker.agent(chip.folder(), &chip.common_name(), &chip.device());
    let output = run(agent.arg("--once")).succeeded();
    assert!(output.all().contains("EMULATOR"), "{}", output.all());
    assert!(output.all().contains("PUBACK"), "{}", output.all());
}
