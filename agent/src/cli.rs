//! The command line, as it is typed.

use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;

use atecc_agent::config::Config;
use atecc_agent::dial::Destination;
use atecc_agent::local::client::Target;
use clap::{Parser, Subcommand, ValueEnum};

use crate::Failure;

/// Gateway daemon: MQTT to AWS IoT Core with a private key that never leaves the ATECC608.
#[derive(Debug, Parser)]
#[command(name = "atecc-agent", version, about, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// What to log: a level (error, warn, info, debug, trace), or directives such as "info,rustls=debug". Without it: ATECC_LOG, else info.
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// How the log looks on standard error. In the journal each line has its priority.
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// How the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Connects and stays connected: telemetry, commands, the device shadow.
    Run(Run),
    /// Hands a message to the running agent, through its listener ([local]). Returns when it is safe in the outbox.
    Publish(Publish),
    /// Prints the messages that the running agent hands down.
    Subscribe(Subscribe),
    /// Gets a certificate as [provision] in the configuration says, and ends. `run` does the same by itself when there
    /// is none.
    Provision(Provision),
    /// Prints temporary credentials for AWS that SORACOM Krypton gives ([provision.krypton]), for a `credential_process`.
    Credentials(Credentials),
    /// Carries connections of programs on this machine through mutual TLS, with the key of this gateway, to one server.
    Tunnel(Tunnel),
    /// Looks for what keeps the agent from its cloud, and says how to mend it.
    Check(Check),
    /// Prints the manual page.
    Man(Pages),
    /// Prints what a shell needs to complete `atecc-agent`.
    Completions(Completions),
}

/// Where the running agent listens.
#[derive(Debug, clap::Args)]
pub(crate) struct Running {
    /// The Unix socket of the agent, or its loopback address. Without it: what [local] in the configuration says.
    #[arg(long, value_name = "SOCKET|ADDRESS")]
    socket: Option<String>,
    /// The configuration of the running agent.
    #[arg(long, value_name = "FILE", default_value = "/etc/atecc/agent.toml")]
    config: PathBuf,
    /// Give up after this time; 0: never.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) timeout: u64,
}

impl Running {
    pub(crate) fn target(&self) -> Result<Target, Failure> {
        if let Some(text) = &self.socket {
            return Ok(Target::parse(text));
        }
        let config = Config::load(&self.config).map_err(Failure::configuration)?.local;
        let address = config.listen.map(Target::Address);
        config.socket.map(Target::Socket).or(address).ok_or_else(|| {
            let file = self.config.display();
            Failure::configuration(format!("{file} has neither `socket` nor `listen` in [local], so the agent takes no messages from this machine"))
        })
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Publish {
    #[command(flatten)]
    pub(crate) agent: Running,
    /// The topic.
    #[arg(short, long)]
    pub(crate) topic: String,
    /// The message. Without it: FILE, or standard input as one message.
    #[arg(short, long, conflicts_with_all = ["file", "lines"])]
    pub(crate) message: Option<String>,
    /// The message is the content of a file.
    #[arg(short, long, value_name = "FILE", conflicts_with = "lines")]
    pub(crate) file: Option<PathBuf>,
    /// Each line of standard input is a message.
    #[arg(short, long)]
    pub(crate) lines: bool,
    /// Print how many messages were taken.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Subscribe {
    #[command(flatten)]
    pub(crate) agent: Running,
    /// A topic filter; may be given several times.
    #[arg(short, long, required = true)]
    pub(crate) topic: Vec<String>,
    /// End after so many messages.
    #[arg(short = 'n', long)]
    pub(crate) count: Option<u64>,
    /// Print the topic before each message.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// It reads the configuration, looks at clock and disk, opens the key and signs, resolves, dials and shakes hands,
/// connects, publishes one telemetry message and subscribes to what the agent subscribes to. Beyond that it changes
/// nothing. Exit code 1: something is wrong.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "/etc/atecc/agent.toml")]
    pub(crate) config: PathBuf,
    /// The chip, as `run` has it.
    #[arg(long, value_name = "SPEC")]
    pub(crate) device: Option<String>,
    /// Look at this machine only.
    #[arg(long)]
    pub(crate) offline: bool,
    /// Connect even if an agent runs here. The server then ends its connection, which it makes again afterwards.
    #[arg(long, conflicts_with = "offline")]
    pub(crate) take_over: bool,
    /// Print JSON for programs.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Pages {
    /// Write a page for `atecc-agent` and one for each verb into this folder instead.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out_dir: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Provision {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "/etc/atecc/agent.toml")]
    pub(crate) config: PathBuf,
    /// The chip, as for `run`.
    #[arg(long, value_name = "SPEC")]
    pub(crate) device: Option<String>,
    /// Provision anew what has a certificate already. With `new_key` the key of that one is destroyed first.
    #[arg(long)]
    pub(crate) again: bool,
    /// Give up after this time; 0: when the first try has failed, however long that takes.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) timeout: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Credentials {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "/etc/atecc/agent.toml")]
    pub(crate) config: PathBuf,
    /// Give up after this time; 0: never.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub(crate) timeout: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Tunnel {
    /// Where programs connect to: a loopback address, such as 127.0.0.1:8080, or the path of a Unix socket.
    #[arg(long, value_name = "ADDRESS|SOCKET")]
    pub(crate) listen: String,
    /// The server.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) connect: Destination,
    /// The name in SNI and in the server's certificate, if it is not HOST.
    #[arg(long, value_name = "NAME")]
    pub(crate) server_name: Option<String>,
    /// The protocol to offer by ALPN, for example x-amzn-mqtt-ca or x-amzn-http-ca on port 443 of AWS. Without it: none.
    #[arg(long, value_name = "PROTOCOL")]
    pub(crate) alpn: Option<String>,
    /// PEM file with the CA certificates that the server's certificate must lead to.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// An agent.toml, for what is not said here: ca_file, device, key, certificate_file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The chip, as for `run`.
    #[arg(long, value_name = "SPEC", conflicts_with = "key")]
    pub(crate) device: Option<String>,
    /// A key that is not in a chip of this project: a pkcs11: URI, or a PEM file.
    #[arg(long, value_name = "URI|FILE")]
    pub(crate) key: Option<String>,
    /// PEM file with the certificate to show, and those above it.
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
    /// Connections at once; more wait.
    #[arg(long, default_value = "16")]
    pub(crate) connections: NonZeroU16,
    /// A connection without a byte for so long is ended.
    #[arg(long, value_name = "SECONDS", default_value = "600")]
    pub(crate) idle: NonZeroU32,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// The configuration; agent.example.toml describes every key.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The chip, for example i2c:/dev/i2c-1 or emulator:chip.eeprom. Goes before `device` and `key` in
    /// the configuration, ATECC_DEVICE and /etc/atecc/atecc.toml.
    #[arg(long, value_name = "SPEC")]
    pub(crate) device: Option<String>,
    /// Publish one telemetry message, wait for the server's acknowledgement, disconnect and exit. Does not
    /// try again.
    #[arg(long)]
    pub(crate) once: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 done, or stopped by SIGTERM or SIGINT; 1 chip, network or server; 2 command line or configuration.";
