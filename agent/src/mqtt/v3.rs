//! MQTT 3.1.1 (level 4 of the protocol). The library's types end here.

use std::time::Duration;

use bytes::Bytes;
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, Incoming, LastWill, MqttOptions,
    PublishOptions, QoS, StateError, SubscribeFilter, SubscribeReasonCode, Transport,
};

use super::connection::{Accepted, MAX_PACKET, Outcome, REQUEST_BATCH, Step, Stream, only};
use super::limits::MAX_FILTERS;
use super::{Disconnect, Message, Options, reason};
use crate::tls::Connector;

/// The half that reads and writes the socket.
pub(super) struct Driver(EventLoop);

/// The half that says what to write.
#[derive(Clone)]
pub(super) struct Client(AsyncClient);

/// An acknowledgement that is still to come.
pub(super) struct Notice(rumqttc::PublishNotice);

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
    mqtt.set_clean_session(options.clean_session);
    mqtt.set_keep_alive(options.keep_alive_seconds);
    mqtt.set_inflight(options.in_flight);
    mqtt.set_max_packet_size(MAX_PACKET, MAX_PACKET);
    mqtt.set_max_request_batch(REQUEST_BATCH);
    if let Some(will) = &options.last_will {
        let (topic, message) = (will.topic.clone(), will.message.clone());
        mqtt.set_last_will(LastWill::new(topic, message, QoS::AtLeastOnce, will.retain));
    }
    // The client's channel takes a whole window, so that handing over a message never waits.
    let builder = AsyncClient::builder(mqtt).capacity(usize::from(options.in_flight) + MAX_FILTERS);
    let (client, mut event_loop) =
        builder.try_build().map_err(|error| Disconnect::Protocol(error.to_string()))?;
    event_loop.network_options.set_connection_timeout(options.connect_timeout.as_secs().max(1));
    match event_loop.poll().await {
        Ok(Event::Incoming(Incoming::ConnAck(answer))) => {
            let keep_alive = Duration::from_secs(options.keep_alive_seconds.into());
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
            Ok(Event::Incoming(_)) => Ok(Step::Heard),
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
        Ok(answer.return_codes.iter().map(|code| *code != SubscribeReasonCode::Failure).collect())
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
        if self.0.wait_completion_async().await.is_ok() { Outcome::Delivered } else { Outcome::Lost }
    }
}

/// Why the connection ended. `accepted`: a CONNACK had come.
fn explain(error: ConnectionError, accepted: bool, connector: &Connector) -> Disconnect {
    match error {
        // The library wraps what the socket said once more on its way through the codec.
        ConnectionError::Io(source)
        | ConnectionError::MqttState(
            StateError::Io(source) | StateError::Deserialization(rumqttc::Error::Io(source)),
        ) => reason::broken(source, accepted, connector),
        ConnectionError::MqttState(StateError::ConnectionAborted) => reason::closed(accepted, connector),
        ConnectionError::MqttState(StateError::AwaitPingResp) | ConnectionError::FlushTimeout => {
            Disconnect::Silent
        }
        ConnectionError::MqttState(StateError::Deserialization(
            rumqttc::Error::InvalidConnectReturnCode(code),
        )) => refused(code),
        ConnectionError::ConnectionRefused(code) => refused(number(code)),
        error => Disconnect::Protocol(error.to_string()),
    }
}

fn number(code: ConnectReturnCode) -> u8 {
    code as u8
}

fn refused(code: u8) -> Disconnect {
    let meaning = match code {
        1 => "it does not speak MQTT 3.1.1; try mqtt = \"5\"",
        2 => "it does not accept the client id; check `client_id`",
        3 => "the service is unavailable; it may pass",
        4 => "it wants another user name or password",
        // AWS answers 7 where MQTT 3.1.1 has 5 (developer guide, page "MQTT").
        5 | 7 => reason::NOT_AUTHORISED,
        _ => "the code is not in the standard",
    };
    Disconnect::Refused { code, meaning }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_and_the_standard_both_mean_not_authorised() {
        for code in [5, 7] {
            assert!(refused(code).to_string().contains("policy"));
        }
        assert_eq!(number(ConnectReturnCode::NotAuthorized), 5);
    }
}
