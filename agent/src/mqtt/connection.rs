//! One connection: from dialling to the last byte, in either version of the protocol.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::client::TlsStream;

use super::limits::{MAX_FILTERS, MAX_PAYLOAD, MAX_TOPIC};
use super::{Disconnect, Message, Options, Version, v3, v5};
use crate::dial::Dialler;
use crate::tls::{Connector, Handshake};

/// How long the server may take to answer SUBSCRIBE.
const SUBACK_LIMIT: Duration = Duration::from_secs(30);
/// Packets that go into one write to the socket, if as many wait.
pub(super) const REQUEST_BATCH: usize = 32;
/// A payload at its limit, its topic, and the headers, with properties of MQTT 5.
pub(super) const MAX_PACKET: usize = MAX_PAYLOAD + MAX_TOPIC + 16 * 1024;

/// What the protocol runs over.
pub(super) type Stream = TlsStream<TcpStream>;

/// The half that reads and writes the socket.
pub(super) struct Driver {
    protocol: Protocol,
    connector: Connector,
    /// How long the server may be silent.
    silence: Duration,
}

enum Protocol {
    V3(Box<v3::Driver>),
    V5(Box<v5::Driver>),
}

/// The half that says what to write.
#[derive(Clone)]
pub(super) enum Sender {
    V3(v3::Client),
    V5(v5::Client),
}

/// An acknowledgement that is still to come.
pub(super) enum Notice {
    V3(v3::Notice),
    V5(v5::Notice),
}

/// What became of a message that was handed to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The server has it.
    Delivered,
    /// The connection ended before.
    Lost,
    /// The server does not take it, and will not.
    Refused(&'static str),
    /// The server does not take it now.
    Later,
}

/// What the server's CONNACK says.
pub(super) struct Accepted {
    /// The server has gone on with the session of an earlier connection.
    pub(super) session_present: bool,
    /// How often it wants to hear from us.
    pub(super) keep_alive: Duration,
}

/// What a driver has done.
pub(super) enum Step {
    /// A message came.
    Message(Message),
    /// Something else came.
    Heard,
    /// Something was sent.
    Sent,
    /// The connection ended, as was asked for.
    Done,
}

/// A connection that the server has accepted.
pub(super) struct Opened {
    pub(super) driver: Driver,
    pub(super) sender: Sender,
    pub(super) handshake: Handshake,
    pub(super) session_present: bool,
}

/// Dials, shakes hands, sends CONNECT and waits for CONNACK.
pub(super) async fn open(
    options: &Options,
    connector: &Connector,
    dialler: &Dialler,
) -> Result<Opened, Disconnect> {
    let limit = options.connect_timeout;
    timeout(limit, open_unlimited(options, connector, dialler))
        .await
        .unwrap_or_else(|_| Err(Disconnect::TooSlow { address: dialler.to_string(), limit }))
}

async fn open_unlimited(
    options: &Options,
    connector: &Connector,
    dialler: &Dialler,
) -> Result<Opened, Disconnect> {
    let stream = dialler.dial().await?;
    let (stream, handshake) = connector.connect(stream).await?;
    let (protocol, sender, accepted) = match options.version {
        Version::V311 => {
            let (driver, client, accepted) = v3::connect(options, connector, stream).await?;
            (Protocol::V3(Box::new(driver)), Sender::V3(client), accepted)
        }
        Version::V5 => {
            let (driver, client, accepted) = v5::connect(options, connector, stream).await?;
            (Protocol::V5(Box::new(driver)), Sender::V5(client), accepted)
        }
    };
    let Accepted { session_present, keep_alive } = accepted;
    let silence = if keep_alive.is_zero() { Duration::MAX } else { keep_alive * 2 };
    let driver = Driver { protocol, connector: connector.clone(), silence };
    Ok(Opened { driver, sender, handshake, session_present })
}

/// Gives `stream` once. The library dials again by itself when it is polled after an error; it gets this one and no other.
pub(super) fn only(
    stream: Stream,
) -> impl Fn() -> Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>> + Send + Sync {
    let stream = Mutex::new(Some(stream));
    move || {
        let stream = stream.lock().ok().and_then(|mut stream| stream.take());
        Box::pin(async move { stream.ok_or_else(|| io::ErrorKind::NotConnected.into()) })
    }
}

impl Driver {
    /// Runs the connection until it ends, and says why; `None` is the end that was asked for.
    ///
    /// Silence of twice the keep-alive is an end, too. The library asks the server only when it has sent nothing for a
    /// while, so it would not notice a dead one as long as there is something to send; and what it writes may be stuck.
    ///
    /// Must not be dropped in the middle and called again.
    pub(super) async fn run(&mut self, mut received: impl AsyncFnMut(Message)) -> Option<Disconnect> {
        let mut heard = Instant::now();
        loop {
            let Self { protocol, connector, silence } = self;
            // Pinned here: it has 4 KiB, which would be copied into the time limit for each packet.
            let mut step = pin!(async {
                match protocol {
                    Protocol::V3(driver) => driver.step(connector).await,
                    Protocol::V5(driver) => driver.step(connector).await,
                }
            });
            let step = match heard.checked_add(*silence) {
                Some(end) => timeout_at(end, step.as_mut()).await.unwrap_or(Err(Disconnect::Silent)),
                None => step.await,
            };
            match step {
                Ok(Step::Message(message)) => {
                    received(message).await;
                    heard = Instant::now();
                }
                Ok(Step::Heard) => heard = Instant::now(),
                Ok(Step::Sent) => {}
                Ok(Step::Done) => return None,
                Err(reason) => return Some(reason),
            }
        }
    }
}

impl Sender {
    /// Subscribes at QoS 1 and waits for the answer. Returns the filters that the server refused.
    pub(super) async fn subscribe(&self, filters: &[String]) -> Result<Vec<String>, Disconnect> {
        let mut refused = Vec::new();
        for some in filters.chunks(MAX_FILTERS) {
            let subscribe = async {
                match self {
                    Self::V3(client) => client.subscribe(some).await,
                    Self::V5(client) => client.subscribe(some).await,
                }
            };
            let answer =
                timeout(SUBACK_LIMIT, subscribe).await.map_err(|_| Disconnect::NoSuback(SUBACK_LIMIT))??;
            let filters = some.iter().zip(answer);
            refused.extend(filters.filter(|(_, accepted)| !accepted).map(|(filter, _)| filter.clone()));
        }
        Ok(refused)
    }

    /// Hands over one message at QoS 1. `None`: the connection is ending.
    pub(super) async fn publish(&self, topic: &str, payload: Bytes) -> Option<Notice> {
        match self {
            Self::V3(client) => client.publish(topic, payload).await.map(Notice::V3),
            Self::V5(client) => client.publish(topic, payload).await.map(Notice::V5),
        }
    }

    /// Asks for DISCONNECT; the driver then ends by itself.
    pub(super) async fn disconnect(&self) {
        match self {
            Self::V3(client) => client.disconnect().await,
            Self::V5(client) => client.disconnect().await,
        }
    }
}

impl Notice {
    /// Waits for the end of the message, or of the connection.
    pub(super) async fn outcome(self) -> Outcome {
        match self {
            Self::V3(notice) => notice.outcome().await,
            Self::V5(notice) => notice.outcome().await,
        }
    }
}
