//! The MQTT library's errors in our words.

use std::io;

use rumqttc::{ConnectReturnCode, ConnectionError, StateError};

use super::Disconnect;
use crate::tls;

/// Why the connection of `connector` ended. `accepted`: a CONNACK had come.
pub(super) fn disconnect(error: ConnectionError, accepted: bool, connector: &tls::Connector) -> Disconnect {
    let closed = || if accepted { Disconnect::ClosedByServer } else { Disconnect::ClosedBeforeConnack };
    match error {
        // The library wraps what the socket said once more on its way through the codec.
        ConnectionError::Io(source)
        | ConnectionError::MqttState(
            StateError::Io(source) | StateError::Deserialization(rumqttc::Error::Io(source)),
        ) => match tls::Error::from_stream(&source, connector.endpoint(), connector.ca_file()) {
            Some(error) => Disconnect::Tls(error),
            None if hung_up(&source) => closed(),
            None => Disconnect::Io(source),
        },
        ConnectionError::MqttState(StateError::ConnectionAborted) => closed(),
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

fn hung_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

fn number(code: ConnectReturnCode) -> u8 {
    code as u8
}

fn refused(code: u8) -> Disconnect {
    let meaning = match code {
        1 => "it does not speak MQTT 3.1.1",
        2 => "it does not accept the client id; check `client_id`",
        3 => "the service is unavailable; it may pass",
        4 => "it wants another user name or password",
        // AWS answers 7 where MQTT 3.1.1 has 5 (developer guide, page "MQTT").
        5 | 7 => {
            "not authorised; is the certificate active, and does its policy allow iot:Connect for this client id?"
        }
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

    #[test]
    fn a_hang_up_is_told_from_a_broken_wire() {
        assert!(hung_up(&io::ErrorKind::UnexpectedEof.into()));
        assert!(!hung_up(&io::ErrorKind::TimedOut.into()));
    }
}
