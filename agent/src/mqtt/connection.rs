//! One connection: from dialling to the last byte. The MQTT library's types end here.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, PublishOptions, QoS, Transport};
use tokio::time::timeout;

use super::limits::{MAX_FILTERS, MAX_PAYLOAD, MAX_TOPIC};
use super::{Disconnect, Message, Options, reason};
use crate::dial::Dialler;
use crate::tls::{Connector, Handshake};

/// How long the server may take to answer SUBSCRIBE.
const SUBACK_LIMIT: Duration = Duration::from_secs(30);

/// The half that reads and writes the socket.
pub(super) struct Driver {
    event_loop: EventLoop,
    connector: Connector,
}

/// The half that says what to write.
#[derive(Clone)]
pub(super) struct Sender(AsyncClient);

/// An acknowledgement that is still to come.
pub(super) struct Notice(rumqttc::PublishNotice);

/// Dials, shakes hands, sends CONNECT and waits for CONNACK.
pub(super) async fn open(
    options: &Options,
    connector: &Connector,
    dialler: &Dialler,
) -> Result<(Driver, Sender, Handshake), Disconnect> {
    let limit = options.connect_timeout;
    timeout(limit, open_unlimited(options, connector, dialler))
        .await
        .unwrap_or_else(|_| Err(Disconnect::TooSlow { address: dialler.to_string(), limit }))
}

async fn open_unlimited(
    options: &Options,
    connector: &Connector,
    dialler: &Dialler,
) -> Result<(Driver, Sender, Handshake), Disconnect> {
    let stream = dialler.dial().await?;
    let (stream, handshake) = connector.connect(stream).await?;

    // The library dials again by itself when it is polled after an error. It gets this stream and no other.
    let stream = Mutex::new(Some(stream));
    let mut mqtt = MqttOptions::new(&options.client_id, (connector.endpoint(), options.port));
    mqtt.set_transport(Transport::tcp());
    mqtt.set_socket_connector(move |_, _| {
        let stream = stream.lock().ok().and_then(|mut stream| stream.take());
        async move { stream.ok_or_else(|| std::io::ErrorKind::NotConnected.into()) }
    });
    mqtt.set_clean_session(true);
    mqtt.set_keep_alive(options.keep_alive_seconds);
    mqtt.set_inflight(options.in_flight);
    mqtt.set_max_packet_size(MAX_PACKET, MAX_PACKET);
    mqtt.set_max_request_batch(REQUEST_BATCH);
    // The client's channel takes a whole window, so that handing over a message never waits.
    let builder = AsyncClient::builder(mqtt).capacity(usize::from(options.in_flight) + MAX_FILTERS);
    let (client, mut event_loop) =
        builder.try_build().map_err(|error| Disconnect::Protocol(error.to_string()))?;
    event_loop.network_options.set_connection_timeout(options.connect_timeout.as_secs().max(1));
    match event_loop.poll().await {
        Ok(_connack) => {
            let driver = Driver { event_loop, connector: connector.clone() };
            Ok((driver, Sender(client), handshake))
        }
        Err(error) => Err(reason::disconnect(error, false, connector)),
    }
}

/// Packets that go into one write to the socket, if as many wait.
const REQUEST_BATCH: usize = 32;
/// A payload at its limit, its topic, and the headers.
const MAX_PACKET: usize = MAX_PAYLOAD + MAX_TOPIC + 64;

impl Driver {
    /// Runs the connection until it ends, and says why; `None` is the end that was asked for.
    ///
    /// Must not be dropped in the middle and called again.
    pub(super) async fn run(&mut self, mut received: impl AsyncFnMut(Message)) -> Option<Disconnect> {
        loop {
            match self.event_loop.poll().await {
                Ok(Event::Incoming(Incoming::Publish(publish))) => {
                    let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                    received(Message { topic, payload: publish.payload.to_vec() }).await;
                }
                Ok(_) => {}
                Err(rumqttc::ConnectionError::RequestsDone) => return None,
                Err(error) => return Some(reason::disconnect(error, true, &self.connector)),
            }
        }
    }
}

impl Sender {
    /// Subscribes at QoS 1 and waits for the answer. Returns the filters that the server refused.
    pub(super) async fn subscribe(&self, filters: &[String]) -> Result<Vec<String>, Disconnect> {
        let mut refused = Vec::new();
        for some in filters.chunks(MAX_FILTERS) {
            let wanted =
                some.iter().map(|filter| rumqttc::SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce));
            let subscribe = async {
                let notice = self.0.subscribe_many_tracked(wanted).await.map_err(protocol)?;
                notice.wait_async().await.map_err(protocol)
            };
            let answer =
                timeout(SUBACK_LIMIT, subscribe).await.map_err(|_| Disconnect::NoSuback(SUBACK_LIMIT))??;
            for (filter, code) in some.iter().zip(answer.return_codes) {
                if code == rumqttc::SubscribeReasonCode::Failure {
                    refused.push(filter.clone());
                }
            }
        }
        Ok(refused)
    }

    /// Hands over one message at QoS 1. `None`: the connection is ending.
    pub(super) async fn publish(&self, topic: &str, payload: Bytes) -> Option<Notice> {
        let options = PublishOptions::at_least_once();
        self.0.publish_tracked(topic.to_owned(), payload, options).await.ok().map(Notice)
    }

    /// Asks for DISCONNECT; the driver then ends by itself.
    pub(super) async fn disconnect(&self) {
        // Fails only if the connection has ended already.
        let _ = self.0.disconnect_now().await;
    }
}

impl Notice {
    /// Whether the PUBACK came. It did not if the connection ended before.
    pub(super) async fn acknowledged(self) -> bool {
        self.0.wait_completion_async().await.is_ok()
    }
}

fn protocol(error: impl std::fmt::Display) -> Disconnect {
    Disconnect::Protocol(error.to_string())
}
