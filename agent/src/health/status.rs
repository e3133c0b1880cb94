//! The document that GET /status answers.

use serde::Serialize;

use super::history::History;
use super::problems::Problem;

/// How the agent is. Times are seconds; those that count from 1970 (UTC) are called `..._at`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The program.
    pub agent: Program,
    /// The connection to the server.
    pub connection: Connection,
    /// What the agent signs with; absent before it was opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// What waits for the server.
    pub outbox: Outbox,
    /// Programs of this machine that are connected; absent without a listener for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_clients: Option<usize>,
    /// The last warnings and errors of the log, the newest first.
    pub problems: Vec<Problem>,
    /// The last minutes.
    pub history: History,
}

/// The program.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Program {
    /// Its version.
    pub version: &'static str,
    /// When it was started.
    pub started_at: u64,
    /// Since then.
    pub uptime_seconds: u64,
    /// Memory of the process that is resident, in bytes; absent where /proc does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resident_bytes: Option<u64>,
}

/// The connection to the server.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Connection {
    /// Whether there is one.
    pub state: State,
    /// Since when it is so.
    pub state_seconds: u64,
    /// The server.
    pub endpoint: String,
    /// The thing.
    pub thing: String,
    /// The MQTT client id.
    pub client_id: String,
    /// Connections that came about since the start.
    pub connections: u64,
    /// Attempts that failed, and connections that were lost.
    pub failures: u64,
    /// When the next attempt begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_in_seconds: Option<f64>,
    /// Why the last connection ended, or did not come about; absent while connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the last handshake agreed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Handshake>,
}

/// What the connection is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// An attempt is under way.
    #[default]
    Connecting,
    /// Connected and subscribed.
    Connected,
    /// The next attempt is due later.
    Waiting,
    /// The agent was told to stop.
    Stopped,
}

/// What TLS agreed on.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Handshake {
    /// The version, for example `TLSv1_3`.
    pub version: String,
    /// The cipher suite.
    pub cipher_suite: String,
    /// The protocol of ALPN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// How long it took, the signature included.
    pub milliseconds: u64,
}

/// What the agent signs with.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Key {
    /// What holds it: `ATECC608B`, the model of a PKCS#11 token, or `file`.
    pub model: String,
    /// The serial number of the chip, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The chip is software, for trials and tests only.
    pub emulated: bool,
    /// When its certificate ends to be valid. 9999-12-31 where it never does, as in Trust&GO chips.
    pub certificate_expires_at: u64,
}

/// What waits for the server.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Outbox {
    /// Messages.
    pub messages: u64,
    /// Their bytes, with 64 for each message.
    pub bytes: u64,
    /// What may wait at most.
    pub most_bytes: u64,
    /// Messages taken since the start.
    pub taken: u64,
    /// Messages that the server acknowledged since the start.
    pub delivered: u64,
    /// Messages given up since the start, because the outbox was full or they were too old.
    pub dropped: u64,
    /// Messages put aside since the start, because the server would cut the connection for them.
    pub quarantined: u64,
    /// Why no messages are taken at the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusing: Option<String>,
}
