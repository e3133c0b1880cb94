//! MQTT 5. The library's types end here.

mod codes;
mod session;

use std::time::Duration;

use bytes::Bytes;
use rumqttc_v5::{
    AsyncClient, ConnectionError, Event, EventLoop, Incoming, LastWill, MqttOptions, PublishNoticeError,
    PublishOptions, QoS, StateError, SubscribeFilter, SubscribeReasonCode, Transport,
};

use super::connection::{Accepted, MAX_PACKET, Outcome, REQUEST_BATCH, Step, Stream, only};
use super::limits::MAX_FILTERS;
use super::{Disconnect, Message, Options, reason};
use crate::tls::Connector;

/// How long the server keeps a session for us, if we want one: as long as AWS does by default.
const SESSION_EXPIRY: u32 = 3600;

/// The half that reads and writes the socket.
pub(super) struct Driver(EventLoop);

/// The half that says what to write.
#[derive(Clone)]
pub(super) struct Client(AsyncClient);

/// An acknowledgement that is still to come.
pub(super) struct Notice(rumqttc_v5::PublishNotice);

/// Sends CONNECT and waits for CONNACK.
pub(super) async fn connect(
    options: &Options,
    connector: &Connector,
    stream: Stream,
) -> Result<(Driver, Client, Accepted), Disconnect> {
    let mut mqtt = MqttOptions::new(&options.client_id, (connector.endpoint(), options.port));
    mqtt.set_transport(Transport::tcp());
    let stream = only(stream);
    mqtt.set_socket_connector(move |_, _| stream());
    mqtt.set_clean_start(options.clean_session);
    if !options.clean_session {
        mqtt.set_session_expiry_interval(Some(SESSION_EXPIRY));
        let in_flight = options.in_flight;
        mqtt.set_session_store(session::Empty { session_expiry: SESSION_EXPIRY, in_flight });
    }
    mqtt.set_keep_alive(options.keep_alive_seconds);
    mqtt.set_outgoing_inflight_upper_limit(options.in_flight);
    mqtt.set_max_packet_size(u32::try_from(MAX_PACKET).ok());
    mqtt.set_max_request_batch(REQUEST_BATCH);
    mqtt.set_connect_timeout(options.connect_timeout);
    if let Some(will) = &options.last_will {
        let (topic, message) = (will.topic.clone(), will.message.clone());
        mqtt.set_last_will(LastWill::new(topic, message, QoS::AtLeastOnce, will.retain, None));
    }
    // The client's channel takes a whole window, so that handing over a message never waits.
    let builder = AsyncClient::builder(mqtt).capacity(usize::from(options.in_flight) + MAX_FILTERS);
    let (client, mut event_loop) =
        builder.try_build().map_err(|error| Disconnect::Protocol(error.to_string()))?;
    match event_loop.poll().await {
        Ok(Event::Incoming(Incoming::ConnAck(answer))) => {
            // The server may want another keep-alive than we do (MQTT 5, section 3.2.2.3.14).
            let keep_alive = answer.properties.and_then(|properties| properties.server_keep_alive);
            let keep_alive = Duration::from_secs(keep_alive.unwrap_or(options.keep_alive_seconds).into());
            let accepted = Accepted { session_present: answer.session_present, keep_alive };
            Ok((Driver(event_loop), Client(client), accepted))
        }
        Ok(event) => Err(Disconnect::Protocol(format!("instead of CONNACK came {event:?}"))),
        Err(error) => Err(explain(error, false, connector)),
    }
}

impl Driver {
    /// Runs until something has happened.
    pub(super) async fn step(&mut self, connector: &Connector) -> Result<Step, Disconnect> {
        match self.0.poll().await {
            Ok(Event::Incoming(Incoming::Publish(publish))) => {
                let topic = String::from_utf8_lossy(&publish.topic).into_owned();
                Ok(Step::Message(Message { topic, payload: publish.payload.to_vec() }))
            }
            Ok(Event::Incoming(_) | Event::Auth(_)) => Ok(Step::Heard),
            Ok(Event::Outgoing(_)) => Ok(Step::Sent),
            Err(ConnectionError::RequestsDone) => Ok(Step::Done),
            Err(error) => Err(explain(error, true, connector)),
        }
    }
}

impl Client {
    /// Subscribes at QoS 1; gives whether each filter was accepted.
    pub(super) async fn subscribe(&self, filters: &[String]) -> Result<Vec<bool>, Disconnect> {
        let wanted = filters.iter().map(|filter| SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce));
        let notice = self.0.subscribe_many_tracked(wanted).await.map_err(reason::protocol)?;
        let answer = notice.wait_async().await.map_err(reason::protocol)?;
        Ok(answer.return_codes.iter().map(|code| matches!(code, SubscribeReasonCode::Success(_))).collect())
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
    pub(super) async fn outcome(self) -> Outcome {
        match self.0.wait_completion_async().await {
            Ok(()) => Outcome::Delivered,
            Err(PublishNoticeError::V5PubAck(reason)) => codes::puback(reason),
            Err(_) => Outcome::Lost,
        }
    }
}

/// Why the connection ended. `accepted`: a CONNACK had come.
fn explain(error: ConnectionError, accepted: bool, connector: &Connector) -> Disconnect {
    match error {
        // The library wraps what the socket said once more on its way through the codec.
        ConnectionError::Io(source)
        | ConnectionError::MqttState(
            StateError::Io(source) | StateError::Deserialization(rumqttc_v5::Error::Io(source)),
        ) => reason::broken(source, accepted, connector),
        ConnectionError::MqttState(StateError::ConnectionAborted) => reason::closed(accepted, connector),
        ConnectionError::MqttState(StateError::AwaitPingResp) => Disconnect::Silent,
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, reason_string }) => {
            codes::disconnect(reason_code, reason_string.as_deref())
        }
        ConnectionError::MqttState(StateError::ConnFail { reason })
        | ConnectionError::ConnectionRefused(reason) => codes::refused(reason),
        error => Disconnect::Protocol(error.to_string()),
    }
}
