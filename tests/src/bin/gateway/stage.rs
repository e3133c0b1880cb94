//! Files and processes: keys and certificates, the agent, the broker.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{LIMIT, Result};

/// The name of the gateway, in its certificate.
pub(crate) const GATEWAY: &str = "gateway-1";

/// A process that is killed when this value is dropped.
pub(crate) struct Process(Child);

/// A folder with everything in it.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    /// Where the broker of the cloud is.
    pub(crate) port: u16,
}

impl Stage {
    /// Keys and certificates: a server's, and a gateway's under a root of its own.
    pub(crate) fn new() -> Result<Self> {
        let stage = Self { folder: tempfile::tempdir()?, port: free_port()? };
        stage.certificate("root", "/CN=Server Root", None)?;
        stage.certificate("server", "/CN=localhost", Some("root"))?;
        stage.certificate("gateways", "/CN=Gateways", None)?;
        stage.certificate("device", &format!("/CN={GATEWAY}"), Some("gateways"))?;
        fs::set_permissions(stage.path("device.key"), fs::Permissions::from_mode(0o600))?;
        Ok(stage)
    }

    fn certificate(&self, name: &str, subject: &str, issuer: Option<&str>) -> Result<()> {
        let file = |name: &str, ending: &str| self.path(&format!("{name}.{ending}"));
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        openssl.args(["-days", "2", "-subj", subject]);
        if let Some(issuer) = issuer {
            openssl.args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
            openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
            openssl.arg("-CA").arg(file(issuer, "pem")).arg("-CAkey").arg(file(issuer, "key"));
        }
        openssl.arg("-keyout").arg(file(name, "key")).arg("-out").arg(file(name, "pem"));
        let output = openssl.output().map_err(|error| format!("openssl: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("openssl: {}", String::from_utf8_lossy(&output.stderr)).into())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The socket of the agent for programs on this machine.
    pub(crate) fn socket(&self) -> PathBuf {
        self.path("mqtt.sock")
    }

    /// Writes the agent's configuration with the key in its file: local topics go up under the same name.
    pub(crate) fn configure(&self, outbox: &str) -> Result<()> {
        self.configure_key("key = 'device.key'\ncertificate_file = 'device.pem'", outbox)
    }

    /// The same with another key: the lines that name it.
    pub(crate) fn configure_key(&self, key: &str, outbox: &str) -> Result<()> {
        let text = format!(
            "endpoint = 'localhost'\naddress = '127.0.0.1:{}'\nca_file = 'root.pem'\n{key}\n[reconnect]\nfirst_seconds = 1\nlongest_seconds = 1\n\
             [shadow]\nenabled = false\n[telemetry]\ninterval_seconds = 86400\n\
             [local]\nsocket = 'mqtt.sock'\nprefix = ''\nsubscribe = ['down/#']\n[outbox]\n{outbox}\n",
            self.port
        );
        Ok(fs::write(self.path("agent.toml"), text)?)
    }

    /// Has the agent listen on a loopback port, too, from its next start on.
    pub(crate) fn listen_on(&self, port: u16) -> Result<()> {
        let file = self.path("agent.toml");
        let listen = format!("[local]\nlisten = '127.0.0.1:{port}'\n");
        Ok(fs::write(&file, fs::read_to_string(&file)?.replace("[local]\n", &listen))?)
    }

    /// `atecc-agent run`, of the same build.
    pub(crate) fn agent(&self) -> Result<Command> {
        let mut command = Command::new(beside("atecc-agent")?);
        command.args(["run", "--config"]).arg(self.path("agent.toml"));
        command.args(["--log", "warn"]).env_remove("ATECC_LOG").env_remove("ATECC_DEVICE");
        Ok(command)
    }

    /// Starts the agent; what it says goes to agent.log.
    pub(crate) fn start_agent(&self) -> Result<Process> {
        Process::start(&mut self.agent()?, &self.path("agent.log"))
    }

    /// Starts the double of the broker, on the same port each time.
    pub(crate) fn start_double(&self) -> Result<Process> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("double").arg("--port").arg(self.port.to_string());
        command.arg("--folder").arg(self.folder()).arg("--log").arg(self.path("double.log"));
        let process = Process::start(&mut command, &self.path("double.said"))?;
        wait("the double listens", || TcpStream::connect(("127.0.0.1", self.port)).is_ok())?;
        Ok(process)
    }

    /// What the double has on disk, in the order in which it came.
    pub(crate) fn double_log(&self) -> Result<Vec<Line>> {
        let Ok(log) = fs::File::open(self.path("double.log")) else { return Ok(Vec::new()) };
        let lines = BufReader::new(log).lines().collect::<std::io::Result<Vec<_>>>()?;
        Ok(lines.iter().filter_map(|line| Line::parse(line)).collect())
    }
}

/// What the double wrote down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A gateway connected.
    Connected,
    /// A gateway did what AWS does not allow.
    Violation(String),
    /// A message came.
    Message {
        /// By which connection.
        connection: String,
        topic: String,
        payload: String,
    },
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        if line == "!connected" {
            return Some(Self::Connected);
        }
        if line.starts_with('!') {
            return Some(Self::Violation(line.to_owned()));
        }
        let mut words = line.splitn(3, ' ').map(str::to_owned);
        Some(Self::Message { connection: words.next()?, topic: words.next()?, payload: words.next()? })
    }
}

impl Process {
    /// Starts `command`, and appends what it says to a file.
    pub(crate) fn start(command: &mut Command, said: &Path) -> Result<Self> {
        let said = fs::File::options().append(true).create(true).open(said)?;
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        command.spawn().map(Self).map_err(|error| format!("{name}: {error}").into())
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) -> Result<()> {
        let script = format!("kill -s {name} {}", self.id());
        match Command::new("sh").args(["-c", &script]).status()?.success() {
            true => Ok(()),
            false => Err(format!("{script}: it has ended").into()),
        }
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn terminate(&mut self) -> Result<()> {
        self.signal("TERM")?;
        wait("a process ends", || self.has_ended())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program of the same build.
fn beside(name: &str) -> Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name(name);
    if program.exists() {
        return Ok(program);
    }
    Err(format!("{} is missing: cargo build -p {name}, in the same profile", program.display()).into())
}

/// A port of the loopback on which nobody listens at the moment.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Waits until something is so.
pub(crate) fn wait(what: &str, mut is_so: impl FnMut() -> bool) -> Result<()> {
    let start = Instant::now();
    while !is_so() {
        if start.elapsed() > LIMIT {
            return Err(format!("not within {LIMIT:?}: {what}").into());
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
