//! Reason codes of MQTT 5 (section 2.4) as sentences.

use rumqttc_v5::{ConnectReturnCode, DisconnectReasonCode, PubAckReason};

use super::super::connection::Outcome;
use super::super::{Disconnect, reason};

/// What a PUBACK with a reason of failure (128 and more) means for its message.
pub(super) fn puback(reason: PubAckReason) -> Outcome {
    match reason {
        PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Outcome::Delivered,
        PubAckReason::NotAuthorized => Outcome::Refused(
            "the server does not authorise it (reason 135); does the policy allow its topic?",
        ),
        PubAckReason::TopicNameInvalid => {
            Outcome::Refused("the server does not accept its topic (reason 144)")
        }
        PubAckReason::PayloadFormatInvalid => {
            Outcome::Refused("the server does not accept its payload (reason 153)")
        }
        PubAckReason::UnspecifiedError
        | PubAckReason::ImplementationSpecificError
        | PubAckReason::PacketIdentifierInUse
        | PubAckReason::QuotaExceeded => Outcome::Later,
    }
}

/// A CONNACK that refuses.
pub(super) fn refused(code: ConnectReturnCode) -> Disconnect {
    use ConnectReturnCode as Code;
    let (code, meaning) = match code {
        Code::UnsupportedProtocolVersion => (0x84, "it does not speak MQTT 5; try mqtt = \"3.1.1\""),
        Code::RefusedProtocolVersion => (1, "it does not speak MQTT 5; try mqtt = \"3.1.1\""),
        Code::ClientIdentifierNotValid => (0x85, "it does not accept the client id; check `client_id`"),
        Code::BadClientId => (2, "it does not accept the client id; check `client_id`"),
        Code::BadUserNamePassword => (0x86, "it wants another user name or password"),
        Code::NotAuthorized => (0x87, reason::NOT_AUTHORISED),
        Code::ServerUnavailable => (0x88, "the service is unavailable; it may pass"),
        Code::ServiceUnavailable => (3, "the service is unavailable; it may pass"),
        Code::ServerBusy => (0x89, "the server is busy; it may pass"),
        Code::Banned => (0x8A, "this client was banned by the server's administrator"),
        Code::BadAuthenticationMethod => (0x8C, "it wants another way to log in"),
        Code::TopicNameInvalid => (0x90, "it does not accept the topic of the last will; check [last_will]"),
        Code::PacketTooLarge => (0x95, "CONNECT is too large for it; check [last_will]"),
        Code::QuotaExceeded => (0x97, "a quota is used up; it may pass"),
        Code::PayloadFormatInvalid => (0x99, "it does not accept the last will; check [last_will]"),
        Code::RetainNotSupported => (0x9A, "it keeps no messages; check `retain` in [last_will]"),
        Code::QoSNotSupported => (0x9B, "it does not take QoS 1; check [last_will]"),
        Code::UseAnotherServer => (0x9C, "another server is to be used for a while; check `endpoint`"),
        Code::ServerMoved => (0x9D, "the server has moved for good; check `endpoint`"),
        Code::ConnectionRateExceeded => (0x9F, "there are too many connections at the moment; it will pass"),
        Code::MalformedPacket => (0x81, "it does not understand our CONNECT"),
        Code::ProtocolError => (0x82, "our CONNECT breaks the protocol, it says"),
        Code::ImplementationSpecificError => (0x83, "it cannot handle this CONNECT"),
        Code::Success | Code::UnspecifiedError => (0x80, "it gives no reason"),
    };
    Disconnect::Refused { code, meaning }
}

/// A DISCONNECT of the server's.
pub(super) fn disconnect(code: DisconnectReasonCode, said: Option<&str>) -> Disconnect {
    use DisconnectReasonCode as Code;
    let (meaning, for_a_message) = match code {
        Code::SessionTakenOver => return Disconnect::TakenOver { times: 1 },
        Code::NotAuthorized => ("not authorised; does the policy allow the topics?", true),
        Code::TopicFilterInvalid => ("it does not accept a topic filter", false),
        Code::TopicNameInvalid => ("it does not accept a topic", true),
        Code::PacketTooLarge => ("a packet is too large for it", true),
        Code::PayloadFormatInvalid => ("it does not accept a payload", true),
        Code::RetainNotSupported => ("it keeps no messages", true),
        Code::QoSNotSupported => ("it does not take QoS 1", true),
        Code::ReceiveMaximumExceeded => ("too many messages were on their way", false),
        Code::MessageRateTooHigh => ("messages come too fast", false),
        Code::QuotaExceeded => ("a quota is used up", true),
        Code::ServerBusy => ("it is busy", false),
        Code::ServerShuttingDown => ("it is shutting down", false),
        Code::KeepAliveTimeout => ("it has not heard from us for too long", false),
        Code::AdministrativeAction => ("its administrator ended the connection", false),
        Code::UseAnotherServer => ("another server is to be used for a while; check `endpoint`", false),
        Code::ServerMoved => ("the server has moved for good; check `endpoint`", false),
        Code::ConnectionRateExceeded => ("there are too many connections", false),
        Code::MaximumConnectTime => ("a connection may not last longer", false),
        Code::MalformedPacket | Code::ProtocolError => ("something that we sent breaks the protocol", true),
        Code::SharedSubscriptionNotSupported => ("it has no shared subscriptions", false),
        Code::WildcardSubscriptionsNotSupported => ("it has no subscriptions with wildcards", false),
        Code::SubscriptionIdentifiersNotSupported | Code::TopicAliasInvalid => {
            ("it lacks what was used", false)
        }
        Code::ImplementationSpecificError => ("it cannot handle something that we sent", true),
        Code::NormalDisconnection | Code::DisconnectWithWillMessage | Code::UnspecifiedError => {
            ("it gives no reason", false)
        }
    };
    // What a server writes is foreign text, and goes into a log.
    let said = said.map(|said| said.chars().filter(|c| !c.is_control()).take(200).collect());
    Disconnect::ByServer { code: code as u8, meaning, said, for_a_message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_takeover_is_told_as_what_it_is() {
        let error = disconnect(DisconnectReasonCode::SessionTakenOver, None);
        assert!(matches!(error, Disconnect::TakenOver { times: 1 }));
    }

    #[test]
    fn what_the_server_says_cannot_break_a_log_line() {
        let text = disconnect(DisconnectReasonCode::ServerBusy, Some("a\nb")).to_string();
        assert!(text.contains("0x89") && text.contains("ab") && !text.contains('\n'), "{text}");
        assert!(refused(ConnectReturnCode::NotAuthorized).to_string().contains("policy"));
    }
}
