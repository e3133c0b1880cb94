//! What the agent tells while it runs: each thing once, to the log and to whoever observes it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::jobs;
use crate::mqtt::{Acknowledgement, Disconnect, Message};
use crate::outbox::{self, Notice, Refusal};
use crate::tls::Handshake;

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Report {
    /// The agent starts to connect.
    Starting {
        /// The server.
        endpoint: String,
        /// The thing.
        thing: String,
        /// The MQTT client id.
        client_id: String,
    },
    /// Connected and subscribed.
    Connected {
        /// Which attempt it was, counted from 1.
        attempt: u64,
        /// What TLS agreed on.
        handshake: Handshake,
    },
    /// The server does not let us subscribe to something.
    FilterRefused {
        /// To what.
        filter: String,
    },
    /// Not connected any more, or still not.
    Disconnected {
        /// Why.
        reason: Disconnect,
        /// When the next attempt begins.
        retry_in: Duration,
        /// Messages that will be sent again.
        unacknowledged: usize,
    },
    /// The server has a telemetry message.
    TelemetryAcknowledged {
        /// Its number.
        sequence: u64,
        /// How it went.
        acknowledgement: Acknowledgement,
    },
    /// A message was not taken, or not acknowledged in time.
    NotDelivered {
        /// Why.
        reason: crate::mqtt::Error,
    },
    /// The outbox did not take a message of the agent's own.
    NotTaken {
        /// Why.
        reason: Refusal,
    },
    /// A message was given up, because the server cut one connection after the other for it.
    Undeliverable {
        /// Its topic.
        topic: String,
    },
    /// Something happened in the outbox.
    Outbox(Notice),
    /// Programs on this machine can connect.
    Listening {
        /// The Unix socket.
        socket: Option<PathBuf>,
        /// The loopback address.
        address: Option<SocketAddr>,
    },
    /// A message of the cloud was not handed to the clients on this machine, because too many wait for them.
    NotHandedDown {
        /// Its topic.
        topic: String,
    },
    /// A command came.
    Command(Message),
    /// A line was switched.
    LineSwitched {
        /// Which, by the property that it is.
        property: String,
        /// Its new state.
        on: bool,
        /// Why.
        cause: Cause,
    },
    /// An input has changed.
    InputChanged {
        /// Which, by the property that it is.
        property: String,
        /// Its new state.
        on: bool,
    },
    /// A line does not do what it is told.
    LineFailed {
        /// Why.
        problem: String,
    },
    /// The shadow desires something that this agent cannot do.
    DesireIgnored {
        /// Why.
        problem: String,
    },
    /// The shadow took a report of ours.
    ShadowAccepted {
        /// Its new version.
        version: u64,
        /// From the report to the answer.
        took: Duration,
    },
    /// The shadow did not take a report of ours.
    ShadowFailed {
        /// Why.
        problem: String,
    },
    /// A job of the cloud begins.
    JobStarted {
        /// Its id.
        job: String,
        /// What it does.
        operation: &'static str,
    },
    /// The service knows how a job ended.
    JobEnded {
        /// Its id.
        job: String,
        /// How.
        status: jobs::Status,
        /// Why it was not done.
        reason: Option<String>,
    },
    /// Something is wrong between the jobs service and the agent.
    JobsFailed {
        /// What.
        problem: String,
    },
    /// The hardware of a line is gone.
    LineLost {
        /// The line.
        property: String,
    },
    /// The hardware of a line is there again.
    LineBack {
        /// The line.
        property: String,
    },
    /// Device Defender took a report.
    DefenderAccepted {
        /// Its id.
        report: u64,
    },
    /// Device Defender did not take a report.
    DefenderFailed {
        /// Why.
        problem: String,
    },
    /// The certificate ends soon, or has ended.
    CertificateEnds {
        /// Days until then; less than 0 afterwards.
        days: i64,
    },
    /// The key is out of reach, as the next connection will find.
    KeyMissing {
        /// Why.
        problem: String,
    },
    /// The key can be reached again.
    KeyBack,
    /// The agent is alive; told once a second, from the moment when everything is set up.
    Pulse(Pulse),
    /// The link was closed in good order.
    Stopped {
        /// Messages that the server did not acknowledge.
        unacknowledged: usize,
    },
}

/// Why a line was switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The shadow desired it.
    Shadow {
        /// The shadow's version.
        version: u64,
    },
    /// A message on a topic that toggles it.
    Toggle,
    /// The cloud was away for too long, or the agent ends.
    Safety,
}

/// How it stands.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Pulse {
    /// How much waits for the server.
    pub outbox: outbox::Status,
    /// Programs of this machine that are connected; `None`: there is no listener for them.
    pub local_clients: Option<usize>,
    /// How long the thread of the link has not turned, see [`Link::silent_for`](crate::mqtt::Link::silent_for).
    pub link_silent_for: Duration,
}

/// How long the thread of the link may not turn. While the key signs it does not: a chip that is used by many, behind a
/// serial line, with a touch for each signature takes a minute at worst. Longer than this it hangs.
const LONGEST_SILENCE: Duration = Duration::from_secs(180);

impl Pulse {
    /// Whether the thread of the link is beyond hope.
    pub fn link_hangs(&self) -> bool {
        self.link_silent_for > LONGEST_SILENCE
    }
}

impl Report {
    /// Writes it to the log. Never what a message contains: commands may carry secrets.
    pub(super) fn log(&self) {
        match self {
            Self::Starting { endpoint, thing, client_id } => {
                tracing::info!(endpoint, thing, client_id, "connecting");
            }
            Self::Connected { attempt, handshake } => tracing::info!(
                attempt,
                version = handshake.version,
                suite = handshake.cipher_suite,
                alpn = handshake.alpn,
                handshake_ms = milliseconds(handshake.took),
                "connected"
            ),
            Self::FilterRefused { filter } => {
                tracing::warn!(filter, "the server refuses this subscription; does the policy allow it?");
            }
            Self::Disconnected { reason, retry_in, unacknowledged } => tracing::warn!(
                retry_in_ms = milliseconds(*retry_in),
                unacknowledged,
                "not connected: {reason}"
            ),
            Self::TelemetryAcknowledged { sequence, acknowledgement } => tracing::info!(
                sequence,
                took_ms = milliseconds(acknowledgement.took),
                attempts = acknowledgement.attempts,
                "telemetry acknowledged (PUBACK)"
            ),
            Self::NotDelivered { reason } => tracing::warn!("{reason}"),
            Self::NotTaken { reason } => tracing::warn!("message not taken: {reason}"),
            Self::Undeliverable { topic } => tracing::warn!(
                topic,
                "the server cuts the connection for this message, so it was given up; does the policy allow its topic?"
            ),
            Self::Outbox(notice) => log_outbox(notice),
            Self::Listening { socket, address } => {
                let socket = socket.as_deref().map(|socket| socket.display().to_string());
                let address = address.map(|address| address.to_string());
                tracing::info!(socket, address, "listening for local clients");
            }
            Self::NotHandedDown { topic } => {
                tracing::warn!(topic, "too many messages wait for the local clients; this one was dropped");
            }
            Self::Command(message) => {
                tracing::info!(topic = message.topic, bytes = message.payload.len(), "command received");
            }
            Self::LineSwitched { property, on, cause } => match cause {
                Cause::Shadow { version } => {
                    tracing::info!(line = property, on, version, "line switched by the shadow");
                }
                Cause::Toggle => tracing::info!(line = property, on, "line toggled"),
                Cause::Safety => tracing::info!(line = property, on, "line in its safe state"),
            },
            Self::InputChanged { property, on } => tracing::info!(line = property, on, "input changed"),
            Self::LineFailed { problem } => tracing::error!("{problem}"),
            Self::DesireIgnored { problem } => tracing::warn!("shadow: {problem}"),
            Self::ShadowAccepted { version, took } => {
                tracing::info!(version, took_ms = milliseconds(*took), "shadow update accepted");
            }
            Self::ShadowFailed { problem } => tracing::warn!("shadow: {problem}"),
            Self::JobStarted { job, operation } => tracing::info!(job, operation, "job begins"),
            Self::JobEnded { job, status, reason } => tracing::info!(job, ?status, reason, "job ended"),
            Self::JobsFailed { problem } => tracing::warn!("jobs: {problem}"),
            Self::LineLost { property } => {
                tracing::warn!(
                    line = property,
                    "the chip of this line is gone; was it unplugged? It is looked for again"
                );
            }
            Self::LineBack { property } => tracing::info!(line = property, "the chip of this line is back"),
            Self::DefenderAccepted { report } => tracing::debug!(report, "Device Defender took a report"),
            Self::DefenderFailed { problem } => tracing::warn!("Device Defender: {problem}"),
            Self::CertificateEnds { days } => {
                tracing::warn!(
                    days,
                    "the certificate ends; get a new one for the same key, or register another"
                );
            }
            Self::KeyMissing { problem } => tracing::error!("the key is out of reach: {problem}"),
            Self::KeyBack => tracing::info!("the key can be reached again"),
            // Nobody wants to read this every second.
            Self::Pulse(_) => {}
            Self::Stopped { unacknowledged: 0 } => tracing::info!("stopped"),
            Self::Stopped { unacknowledged } => {
                tracing::info!(unacknowledged, "stopped; these messages wait for the next start");
            }
        }
    }
}

fn log_outbox(notice: &Notice) {
    match notice {
        Notice::Refusing { reason } => tracing::warn!("no messages are taken: {reason}"),
        Notice::Taking => tracing::info!("messages are taken again"),
        Notice::Dropped { messages, reason } => tracing::warn!(messages, "messages were given up: {reason}"),
        Notice::Quarantined(message) => {
            let file = message.file.as_deref().map(|file| file.display().to_string());
            tracing::warn!(topic = message.topic, file, "a message is in quarantine: {}", message.problem);
        }
        Notice::SetAside { file, problem } => tracing::error!(
            file = %file.display(),
            "the outbox was damaged ({problem}); it was renamed, and a new one begun"
        ),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_may_take_its_time_and_a_hanging_thread_is_noticed() {
        let pulse = |seconds| Pulse {
            outbox: outbox::Status::default(),
            local_clients: None,
            link_silent_for: Duration::from_secs(seconds),
        };
        assert!(!pulse(60).link_hangs() && pulse(181).link_hangs());
    }
}
