//! Real mosquittos: the broker of the cloud, and the bridge that the agent is compared with.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Result;
use super::stage::{GATEWAY, Process, Stage, free_port, wait};

/// The broker of the cloud: TLS for gateways, and a plain port for whoever looks what arrives.
pub(crate) struct Broker {
    process: Process,
    pub(crate) plain: u16,
    config: PathBuf,
    said: PathBuf,
    tls: u16,
}

impl Broker {
    pub(crate) fn start(stage: &Stage) -> Result<Self> {
        let (plain, folder) = (free_port()?, stage.folder().display());
        let state = stage.path("broker");
        fs::create_dir_all(&state)?;
        let text = format!(
            "per_listener_settings true\nuser root\npersistence true\npersistence_location {}/\n\
             max_queued_messages 0\nmax_inflight_messages 100\nset_tcp_nodelay true\n\
             listener {} 127.0.0.1\ncafile {folder}/gateways.pem\ncertfile {folder}/server.pem\n\
             keyfile {folder}/server.key\nrequire_certificate true\nuse_identity_as_username true\n\
             listener {plain} 127.0.0.1\nallow_anonymous true\n",
            state.display(),
            stage.port
        );
        let config = stage.path("broker.conf");
        fs::write(&config, text)?;
        let said = stage.path("broker.log");
        let process = Self::process(&config, &said, stage.port)?;
        Ok(Self { process, plain, config, said, tls: stage.port })
    }

    fn process(config: &Path, said: &Path, port: u16) -> Result<Process> {
        let process = Process::start(mosquitto().arg("-c").arg(config), said)?;
        wait("mosquitto listens", || TcpStream::connect(("127.0.0.1", port)).is_ok())?;
        Ok(process)
    }

    /// Ends it in good order: it writes down what it has.
    pub(crate) fn stop(&mut self) -> Result<()> {
        self.process.terminate()
    }

    /// Sends it a signal by its name.
    pub(crate) fn signal(&self, name: &str) -> Result<()> {
        self.process.signal(name)
    }

    /// Starts it again.
    pub(crate) fn resume(&mut self) -> Result<()> {
        self.process = Self::process(&self.config, &self.said, self.tls)?;
        Ok(())
    }
}

/// A local mosquitto whose bridge goes to the broker of the cloud, with the key of the gateway. Its local socket.
pub(crate) fn bridge(stage: &Stage) -> Result<(Process, PathBuf)> {
    let (socket, folder) = (stage.path("bridge.sock"), stage.folder().display());
    let text = format!(
        "listener 0 {}\nallow_anonymous true\nuser root\nmax_queued_messages 0\n\
         max_inflight_messages 100\nset_tcp_nodelay true\nconnection cloud\naddress localhost:{}\n\
         remote_clientid {GATEWAY}-bridge\ntopic out/# out 1\nbridge_cafile {folder}/root.pem\n\
         bridge_certfile {folder}/device.pem\nbridge_keyfile {folder}/device.key\nnotifications false\n\
         restart_timeout 1\n",
        socket.display(),
        stage.port
    );
    let config = stage.path("bridge.conf");
    fs::write(&config, text)?;
    let process = Process::start(mosquitto().arg("-c").arg(&config), &stage.path("bridge.log"))?;
    Ok((process, socket))
}

/// Debian has it where users do not look.
fn mosquitto() -> Command {
    let system = Path::new("/usr/sbin/mosquitto");
    Command::new(if system.exists() { system } else { Path::new("mosquitto") })
}
