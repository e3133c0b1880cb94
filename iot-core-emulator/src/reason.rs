//! Why a connection ended.

use std::time::Duration;

use crate::{Action, CertificateId, Status};

/// Why a connection ended, or never became one.
///
/// The limits are those of the page "AWS IoT Core endpoints and quotas"; that a connection is cut
/// for breaking one is how AWS treats MQTT 3.1.1, which has no way to answer with a reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// No SNI in the ClientHello (developer guide, "Transport security").
    #[error("the client sent no server name (SNI)")]
    NoServerName,
    /// SNI that leads to no account.
    #[error("the client sent the server name {0:?}, which is no endpoint here")]
    WrongServerName(String),
    /// The listener that demands ALPN was dialled without `x-amzn-mqtt-ca` (developer guide, "Device communication protocols").
    #[error("the client did not offer ALPN x-amzn-mqtt-ca on the listener that needs it")]
    NoAlpn,
    /// The handshake failed; the text is the TLS library's.
    #[error("TLS handshake failed: {0}")]
    Tls(String),
    /// Handshake or CONNECT took longer than the options allow.
    #[error("the client took longer than {0:?}")]
    TooSlow(Duration),
    /// The registry does not know the certificate: closed without CONNACK.
    #[error("certificate {0} is not registered")]
    UnknownCertificate(CertificateId),
    /// The certificate may not connect now, or was switched off while connected.
    #[error("the certificate is {0}")]
    CertificateNotActive(Status),
    /// The certificate was registered at this moment, or waits for its activation: the device has to come again.
    #[error(
        "just-in-time registration: the certificate is PENDING_ACTIVATION, and the device has to come again"
    )]
    JustInTime,
    /// This client id connects more often than it may.
    #[error("this client id connects too often")]
    Throttled,
    /// No policy allows it, or one denies it.
    #[error("{action} on {resource} is not allowed by the policies of the certificate")]
    Denied {
        /// What was tried.
        action: Action,
        /// On which ARN.
        resource: String,
    },
    /// The client id is empty or longer than 128 bytes.
    #[error("client id {0:?} must have 1 to 128 bytes")]
    BadClientId(String),
    /// A payload of more than 128 KB.
    #[error("a packet is too large: the payload may have 131072 bytes")]
    PayloadTooLarge,
    /// A topic or filter of more than 256 bytes.
    #[error("the topic has {0} bytes, allowed are 256")]
    TopicTooLong(usize),
    /// A topic or filter of more than eight levels.
    #[error("the topic has {0} slashes, allowed are 7")]
    TopicTooDeep(usize),
    /// A SUBSCRIBE or UNSUBSCRIBE with more than eight filters.
    #[error("the packet names {0} filters, allowed are 8")]
    TooManyFilters(usize),
    /// QoS 2 does not exist on AWS IoT Core.
    #[error("QoS 2 is not supported")]
    Qos2,
    /// A publish to a reserved topic on which only the service itself speaks.
    #[error("only the service publishes to {0}")]
    ReservedTopic(String),
    /// Bytes that are no MQTT 3.1.1, or a packet out of place.
    #[error("protocol error: {0}")]
    Protocol(String),
    /// Nothing came for one and a half keep-alive intervals.
    #[error("nothing came for one and a half keep-alive intervals")]
    KeepAlive,
    /// A new connection with the same client id took over.
    #[error("another connection uses the same client id")]
    DuplicateClientId,
    /// The client sent DISCONNECT.
    #[error("the client said goodbye")]
    Goodbye,
    /// The socket was closed or broke without DISCONNECT.
    #[error("the connection was lost")]
    Lost,
    /// The broker library ended the connection.
    #[error("the broker closed the connection")]
    Broker,
    /// `disconnect_all` was called, or the emulator was stopped.
    #[error("cut by the emulator on request")]
    Cut,
}
