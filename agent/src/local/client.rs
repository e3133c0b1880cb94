//! A client of the listener, for shell scripts: MQTT 5, because its acknowledgement can say why not.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use rumqttc_v5::{
    AsyncClient, Broker, ConnectionError, Event, EventLoop, Incoming, MqttOptions, PubAckReason,
    PublishNotice, PublishOptions, PublishResult, QoS, Transport,
};

use crate::mqtt::Message;

/// Messages on their way to the agent at once.
const WINDOW: u16 = 100;
/// How long the agent may take to answer SUBSCRIBE.
const SUBACK_LIMIT: Duration = Duration::from_secs(10);

/// Where the agent listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// On a Unix socket.
    Socket(PathBuf),
    /// On a loopback address.
    Address(SocketAddr),
}

/// Why a script's message did not get through, or none came.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No connection to the agent.
    #[error("no connection to the agent at {target}: {problem}; is it running, with this {kind} in [local]?")]
    Unreachable {
        /// Where.
        target: String,
        /// `socket` or `listen`.
        kind: &'static str,
        /// Why not.
        problem: String,
    },
    /// The agent did not take a message.
    #[error("the agent did not take the message: {0}")]
    Refused(String),
    /// The agent does not let us subscribe.
    #[error("the agent does not take this subscription; is the filter valid?")]
    Filter,
    /// What was to be published cannot be read.
    #[error("cannot read what is to be published: {0}")]
    Input(#[source] io::Error),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(path) => path.display().fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl Target {
    /// `text` as it is typed: an address if it looks like one, else the path of a socket.
    pub fn parse(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Socket(Path::new(text).to_owned()), Self::Address)
    }

    fn unreachable(&self, problem: impl ToString) -> ClientError {
        let kind = if matches!(self, Self::Socket(_)) { "socket" } else { "listen" };
        ClientError::Unreachable { target: self.to_string(), kind, problem: problem.to_string() }
    }

    async fn connect(&self) -> Result<(AsyncClient, EventLoop), ClientError> {
        let id = format!("atecc-agent-{:08x}", getrandom::u32().unwrap_or_else(|_| std::process::id()));
        let mut options = match self {
            Self::Socket(path) => MqttOptions::new(id, Broker::unix(path)),
            Self::Address(address) => MqttOptions::new(id, (address.ip().to_string(), address.port())),
        };
        if matches!(self, Self::Address(_)) {
            options.set_transport(Transport::tcp());
        }
        options.set_keep_alive(30).set_outgoing_inflight_upper_limit(WINDOW);
        options.set_max_packet_size(u32::try_from(super::codec::LARGEST_PACKET).ok());
        let (client, mut events) = AsyncClient::builder(options)
            .capacity(usize::from(WINDOW))
            .try_build()
            .map_err(|error| self.unreachable(error))?;
        events.poll().await.map_err(|error| self.unreachable(error))?;
        Ok((client, events))
    }
}

/// Publishes `messages` to `topic` in their order. Returns when the agent has committed all of them.
///
/// # Errors
/// The first that the agent did not take; those before it were taken.
pub async fn publish(
    target: &Target,
    topic: &str,
    messages: impl Iterator<Item = io::Result<Vec<u8>>>,
) -> Result<u64, ClientError> {
    let (client, mut events) = target.connect().await?;
    let drive = async {
        loop {
            if let Err(error) = events.poll().await {
                return error;
            }
        }
    };
    let send = async {
        let mut waiting = VecDeque::new();
        let mut taken = 0;
        for message in messages {
            let message = message.map_err(ClientError::Input)?;
            if waiting.len() >= usize::from(WINDOW)
                && let Some(first) = waiting.pop_front()
            {
                taken += settled(first).await?;
            }
            let options = PublishOptions::at_least_once();
            let notice = client.publish_tracked(topic.to_owned(), Bytes::from(message), options).await;
            waiting.push_back(notice.map_err(|error| ClientError::Refused(error.to_string()))?);
        }
        for notice in waiting {
            taken += settled(notice).await?;
        }
        Ok(taken)
    };
    tokio::select! {
        biased;
        sent = send => sent,
        error = drive => Err(target.unreachable(error)),
    }
}

async fn settled(notice: PublishNotice) -> Result<u64, ClientError> {
    match notice.wait_async().await {
        Ok(PublishResult::Qos1(puback)) if puback.reason == PubAckReason::Success => Ok(1),
        Ok(PublishResult::Qos1(puback)) => {
            let text = puback.properties.and_then(|properties| properties.reason_string);
            Err(ClientError::Refused(text.unwrap_or_else(|| format!("{:?}", puback.reason))))
        }
        Ok(_) => Ok(1),
        Err(error) => Err(ClientError::Refused(error.to_string())),
    }
}

/// Hands every message that matches one of `filters` to `received`, until that says that it has enough (`false`).
///
/// # Errors
/// When the agent cannot be reached, goes, or does not take the subscription.
pub async fn subscribe(
    target: &Target,
    filters: &[String],
    mut received: impl FnMut(Message) -> bool,
) -> Result<(), ClientError> {
    let (client, mut events) = target.connect().await?;
    let mut notices = Vec::new();
    for filter in filters {
        let notice = client.subscribe_tracked(filter.clone(), QoS::AtLeastOnce).await;
        notices.push(notice.map_err(|_| ClientError::Filter)?);
    }
    let mut subscribed = std::pin::pin!(async {
        for notice in notices {
            notice.wait_completion_async().await.map_err(|_| ClientError::Filter)?;
        }
        Ok::<(), ClientError>(())
    });
    let mut done = false;
    let limit = tokio::time::sleep(SUBACK_LIMIT);
    tokio::pin!(limit);
    loop {
        tokio::select! {
            event = events.poll() => match event {
                Ok(Event::Incoming(Incoming::Publish(publish))) => {
                    let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                    if !received(Message { topic, payload: publish.payload.to_vec() }) {
                        return Ok(());
                    }
                }
                Ok(_) => {}
                Err(ConnectionError::RequestsDone) => return Ok(()),
                Err(error) => return Err(target.unreachable(error)),
            },
            result = &mut subscribed, if !done => {
                result?;
                done = true;
            }
            () = &mut limit, if !done => return Err(ClientError::Filter),
        }
    }
}
