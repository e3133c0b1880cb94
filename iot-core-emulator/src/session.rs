//! One connected client: both directions between its TLS stream and the broker library.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use rumqttc::{Packet, PubAck, Publish, QoS, Subscribe};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::account::Account;
use crate::codec::{Frame, Reader, encode, write};
use crate::connections::Ticket;
use crate::event::{Event, Qos};
use crate::front::{ClientReader, ClientWriter};
use crate::provisioning::{self, Answer};
use crate::shadow::topic::{Role, role};
use crate::throttle::Publishes;
use crate::{Action, CertificateId, Reason, Status, limits, lock};

/// Keep-alive of a client that asks for none, and the longest there is.
const NO_KEEP_ALIVE: Duration = Duration::from_secs(1800);
const LONGEST_KEEP_ALIVE: Duration = Duration::from_secs(1200);
/// How long the client may take for the goodbyes of TLS.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// Who is connected.
pub(crate) struct Client {
    pub(crate) connection: u64,
    pub(crate) id: String,
    pub(crate) certificate_id: CertificateId,
    pub(crate) keep_alive: Duration,
}

/// A connected client and its connection to the broker library.
pub(crate) struct Session {
    pub(crate) client: Client,
    reader: ClientReader,
    streams: Streams,
    state: State,
}

/// What downstream needs.
struct Streams {
    writer: ClientWriter,
    broker_reader: Reader<OwnedReadHalf>,
    answers: mpsc::UnboundedReceiver<Answer>,
}

/// What both directions share.
struct State {
    account: Arc<Account>,
    /// Both directions write to the broker: one forwards, the other acknowledges what it drops.
    broker_writer: tokio::sync::Mutex<OwnedWriteHalf>,
    waiting: Mutex<Waiting>,
    publishes: Publishes,
    /// Answers of services for this client alone.
    answers: mpsc::UnboundedSender<Answer>,
}

/// What waits for an answer of the broker, by packet id, and the filters that were asked for.
#[derive(Default)]
struct Waiting {
    publishes: HashMap<u16, Sent>,
    subscribes: HashMap<u16, Vec<(String, Qos)>>,
    filters: HashSet<String>,
}

/// A publish, as its event will tell it.
struct Sent {
    topic: String,
    qos: Qos,
    payload_len: usize,
    duplicate: bool,
}

impl Session {
    pub(crate) fn new(
        account: Arc<Account>,
        client: Client,
        reader: ClientReader,
        writer: ClientWriter,
        broker_reader: Reader<OwnedReadHalf>,
        broker_writer: OwnedWriteHalf,
    ) -> Self {
        let broker_writer = tokio::sync::Mutex::new(broker_writer);
        let (sender, answers) = mpsc::unbounded_channel();
        let publishes = account.throttle.publishes();
        let state = State { account, broker_writer, waiting: Mutex::default(), publishes, answers: sender };
        Self { client, reader, streams: Streams { writer, broker_reader, answers }, state }
    }

    /// Serves the client until the connection ends; tells why it ended.
    pub(crate) async fn run(self, ticket: &mut Ticket) -> Reason {
        let Self { client, mut reader, mut streams, state } = self;
        let reason = tokio::select! {
            biased;
            reason = ticket.cut() => reason,
            reason = state.switched_off(&client) => reason,
            reason = state.upstream(&client, &mut reader) => reason,
            reason = state.downstream(&client, &mut streams) => reason,
        };
        let unanswered = std::mem::take(&mut lock(&state.waiting).publishes);
        unanswered.into_values().for_each(|sent| state.published(&client, sent, false));
        let _ = timeout(CLOSE_LIMIT, streams.writer.shutdown()).await;
        reason
    }
}

impl State {
    /// Ends when the certificate is no longer active.
    async fn switched_off(&self, client: &Client) -> Reason {
        let registry = &self.account.registry;
        let mut changes = registry.changes();
        loop {
            match registry.status(&client.certificate_id) {
                Some(Status::Active) => {}
                Some(other) => return Reason::CertificateNotActive(other),
                None => return Reason::UnknownCertificate(client.certificate_id.clone()),
            }
            if changes.changed().await.is_err() {
                return Reason::Cut;
            }
        }
    }

    /// Checks and forwards what the client sends, until something ends the connection.
    async fn upstream(&self, client: &Client, reader: &mut ClientReader) -> Reason {
        let keep_alive = if client.keep_alive.is_zero() {
            NO_KEEP_ALIVE
        } else {
            client.keep_alive.min(LONGEST_KEEP_ALIVE)
        };
        loop {
            let frame = match timeout(keep_alive * 3 / 2, reader.next()).await {
                Ok(Ok(frame)) => frame,
                Ok(Err(reason)) => return reason,
                Err(_) => return Reason::KeepAlive,
            };
            if let Err(reason) = self.forward(client, frame).await {
                return reason;
            }
        }
    }

    async fn forward(&self, client: &Client, Frame { packet, bytes }: Frame) -> Result<(), Reason> {
        match packet {
            Packet::Publish(publish) => self.publish(client, &publish, &bytes).await,
            Packet::Subscribe(subscribe) => {
                self.subscribe(client, &subscribe)?;
                self.to_broker(&bytes).await
            }
            Packet::Unsubscribe(unsubscribe) => {
                limits::filters(unsubscribe.topics.iter().map(String::as_str))?;
                for filter in &unsubscribe.topics {
                    lock(&self.waiting).filters.remove(filter);
                }
                self.to_broker(&bytes).await
            }
            Packet::PubAck(_) | Packet::PingReq => self.to_broker(&bytes).await,
            Packet::Disconnect => {
                // Tells the broker not to publish the will.
                self.to_broker(&bytes).await?;
                Err(Reason::Goodbye)
            }
            Packet::PubRec(_) | Packet::PubRel(_) | Packet::PubComp(_) => Err(Reason::Qos2),
            other => Err(Reason::Protocol(format!("a client does not send {:?}", other.packet_type()))),
        }
    }

    async fn publish(&self, client: &Client, publish: &Publish, bytes: &Bytes) -> Result<(), Reason> {
        let topic = text(&publish.topic)?;
        limits::publish(topic, publish.payload.len())?;
        let qos = match publish.qos {
            QoS::AtMostOnce => Qos::AtMostOnce,
            QoS::AtLeastOnce => Qos::AtLeastOnce,
            QoS::ExactlyOnce => return Err(Reason::Qos2),
        };
        self.authorise(client, Action::Publish, topic)?;
        if publish.retain {
            self.authorise(client, Action::RetainPublish, topic)?;
        }
        let (role, provisioning) = (role(topic), provisioning::topic::role(topic));
        let reserved = topic.starts_with('$');
        let service_only =
            role == Role::ServiceOnly || provisioning == provisioning::topic::Role::ServiceOnly;
        if service_only || reserved && (publish.retain || !topic.starts_with("$aws/")) {
            return Err(Reason::ReservedTopic(topic.to_owned()));
        }
        if !self.publishes.allowed() {
            // "Publish requests that exceed that limit are discarded."
            let (connection, topic) = (client.connection, topic.to_owned());
            self.account.history.record(Event::Throttled { connection, topic });
            return Ok(());
        }
        let sent =
            Sent { topic: topic.to_owned(), qos, payload_len: publish.payload.len(), duplicate: publish.dup };
        match qos {
            Qos::AtMostOnce => {
                self.to_broker(bytes).await?;
                self.published(client, sent, false);
            }
            Qos::AtLeastOnce => {
                // Before it is sent: the answer may come at once.
                lock(&self.waiting).publishes.insert(publish.pkid, sent);
                self.to_broker(bytes).await?;
            }
        }
        if let Role::Request(shadow, request) = role {
            // A rejection is told to the client by the message that the service publishes.
            let _ = self.account.shadow(Some(client.connection), &shadow, request, &publish.payload).await;
        }
        if let provisioning::topic::Role::Request(request) = provisioning {
            // Downstream lives as long as this does.
            let _ =
                self.answers.send(self.account.provisioning(client.connection, &request, &publish.payload));
        }
        Ok(())
    }

    fn subscribe(&self, client: &Client, subscribe: &Subscribe) -> Result<(), Reason> {
        limits::filters(subscribe.filters.iter().map(|filter| filter.path.as_str()))?;
        for filter in &subscribe.filters {
            self.authorise(client, Action::Subscribe, &filter.path)?;
        }
        let mut waiting = lock(&self.waiting);
        waiting.filters.extend(subscribe.filters.iter().map(|filter| filter.path.clone()));
        let filters = subscribe.filters.iter().map(|filter| {
            let qos = if filter.qos == QoS::AtMostOnce { Qos::AtMostOnce } else { Qos::AtLeastOnce };
            (filter.path.clone(), qos)
        });
        waiting.subscribes.insert(subscribe.pkid, filters.collect());
        Ok(())
    }

    /// Checks and forwards what the broker sends, until something ends the connection.
    async fn downstream(&self, client: &Client, streams: &mut Streams) -> Reason {
        let Streams { writer, broker_reader, answers } = streams;
        loop {
            let frame = tokio::select! {
                frame = broker_reader.next() => frame,
                Some(answer) = answers.recv() => {
                    if let Err(reason) = self.answer(client, answer, writer).await {
                        return reason;
                    }
                    continue;
                }
            };
            let Ok(Frame { packet, bytes }) = frame else { return Reason::Broker };
            if let Packet::Publish(publish) = &packet
                && !self.may_receive(client, publish)
            {
                if let Err(reason) = self.acknowledge_for(publish).await {
                    return reason;
                }
                continue;
            }
            if let Err(reason) = write(writer, &bytes).await {
                return reason;
            }
            self.answered(client, &packet);
        }
    }

    /// Hands a service's answer to the client that asked. At QoS 0: at QoS 1 its packet id would have to be one that the
    /// broker library does not use.
    async fn answer(&self, client: &Client, answer: Answer, writer: &mut ClientWriter) -> Result<(), Reason> {
        let Answer { topic, payload } = answer;
        // A wildcard in front does not stand for `$aws` (MQTT 3.1.1, section 4.7.2), and the library leaves `$` to us.
        let subscribed = topic.strip_prefix('$').is_some_and(|topic| {
            let waiting = lock(&self.waiting);
            let mut filters = waiting.filters.iter().filter_map(|filter| filter.strip_prefix('$'));
            filters.any(|filter| rumqttc::matches(topic, filter))
        });
        if !subscribed || self.authorise(client, Action::Receive, &topic).is_err() {
            return Ok(());
        }
        let publish = Publish::new(topic, QoS::AtMostOnce, payload);
        write(writer, &encode(&Packet::Publish(publish))?).await
    }

    /// Whether a message may go out: by policy, and because AWS sends retained messages only to
    /// subscriptions without wildcards.
    fn may_receive(&self, client: &Client, publish: &Publish) -> bool {
        let Ok(topic) = text(&publish.topic) else { return false };
        let wanted = !publish.retain || lock(&self.waiting).filters.contains(topic);
        wanted && self.authorise(client, Action::Receive, topic).is_ok()
    }

    /// The broker must not wait for a client that was never sent the message.
    async fn acknowledge_for(&self, publish: &Publish) -> Result<(), Reason> {
        if publish.qos == QoS::AtMostOnce {
            return Ok(());
        }
        self.to_broker(&encode(&Packet::PubAck(PubAck::new(publish.pkid)))?).await
    }

    /// Records what an answer that was just sent completes.
    fn answered(&self, client: &Client, packet: &Packet) {
        match packet {
            Packet::PubAck(ack) => {
                let sent = lock(&self.waiting).publishes.remove(&ack.pkid);
                if let Some(sent) = sent {
                    self.published(client, sent, true);
                }
            }
            Packet::SubAck(ack) => {
                let filters = lock(&self.waiting).subscribes.remove(&ack.pkid);
                if let Some(filters) = filters {
                    self.account.history.record(Event::Subscribed {
                        connection: client.connection,
                        client_id: client.id.clone(),
                        filters,
                    });
                }
            }
            _ => {}
        }
    }

    fn published(&self, client: &Client, sent: Sent, acknowledged: bool) {
        let Sent { topic, qos, payload_len, duplicate } = sent;
        let (connection, client_id) = (client.connection, client.id.clone());
        self.account.history.record(Event::Published {
            connection,
            client_id,
            topic,
            qos,
            payload_len,
            duplicate,
            acknowledged,
        });
    }

    fn authorise(&self, client: &Client, action: Action, target: &str) -> Result<(), Reason> {
        let registry = &self.account.registry;
        registry
            .authorise(&client.certificate_id, &client.id, action, target)
            .map_err(|resource| Reason::Denied { action, resource })
    }

    async fn to_broker(&self, bytes: &[u8]) -> Result<(), Reason> {
        let mut writer = self.broker_writer.lock().await;
        write(&mut *writer, bytes).await.map_err(|_| Reason::Broker)
    }
}

fn text(topic: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(topic).map_err(|_| Reason::Protocol("a topic is not UTF-8".to_owned()))
}
