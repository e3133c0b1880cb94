//! What both versions of the protocol have in common about ends.

use std::io;

use super::Disconnect;
use crate::tls;

/// What the server's "not authorised" in CONNACK means: it knows the certificate, or it would not have answered at all.
pub(super) const NOT_AUTHORISED: &str =
    "not authorised; is the certificate active, and does its policy allow iot:Connect for this client id?";

/// The server hung up. `accepted`: a CONNACK had come.
pub(super) fn closed(accepted: bool, connector: &tls::Connector) -> Disconnect {
    if accepted {
        Disconnect::ClosedByServer
    } else {
        Disconnect::ClosedBeforeConnack { certificate: connector.certificate_id().to_owned() }
    }
}

/// The socket, or TLS on it, gave this error.
pub(super) fn broken(source: io::Error, accepted: bool, connector: &tls::Connector) -> Disconnect {
    match tls::Error::from_stream(&source, connector.endpoint(), connector.ca_file()) {
        Some(error) => Disconnect::Tls(error),
        None if hung_up(&source) => closed(accepted, connector),
        None => Disconnect::Io(source),
    }
}

pub(super) fn protocol(error: impl std::fmt::Display) -> Disconnect {
    Disconnect::Protocol(error.to_string())
}

fn hung_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hang_up_is_told_from_a_broken_wire() {
        assert!(hung_up(&io::ErrorKind::UnexpectedEof.into()));
        assert!(!hung_up(&io::ErrorKind::TimedOut.into()));
    }
}
