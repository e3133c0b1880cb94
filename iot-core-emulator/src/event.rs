//! What happened, as typed events.

use std::fmt;

use serde_json::Value;

use crate::{CertificateId, Reason};

/// Which of the two listeners a client dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// The listener without ALPN (AWS: port 8883).
    Mqtt,
    /// The listener that demands ALPN `x-amzn-mqtt-ca` (AWS: port 443).
    Alpn,
}

/// Quality of service. AWS IoT Core knows no level 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Qos {
    /// Level 0, at most once.
    AtMostOnce,
    /// Level 1, at least once.
    AtLeastOnce,
}

/// One thing that happened. `connection` numbers the TCP connections from 1, in order of arrival,
/// so that the events of one client belong together.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The TLS handshake is complete and the client has proven that it holds the private key.
    /// Whether the registry knows the certificate is decided later, at the CONNECT packet.
    TlsAccepted {
        /// Number of the TCP connection.
        connection: u64,
        /// The listener that was dialled.
        listener: Listener,
        /// "TLSv1_2" or "TLSv1_3".
        version: String,
        /// The suite's registered name, for example "TLS13_AES_256_GCM_SHA384".
        cipher_suite: String,
        /// The SNI that the client sent; always the endpoint of an account.
        server_name: String,
        /// The protocol chosen by ALPN.
        alpn: Option<String>,
        /// Id of the client certificate.
        certificate_id: CertificateId,
        /// Common name of its subject.
        common_name: Option<String>,
    },
    /// CONNACK with code 0 was sent.
    Connected {
        /// Number of the TCP connection.
        connection: u64,
        /// The MQTT client id.
        client_id: String,
        /// Id of the client certificate.
        certificate_id: CertificateId,
        /// Whether a stored session was resumed.
        session_present: bool,
    },
    /// SUBACK was sent.
    Subscribed {
        /// Number of the TCP connection.
        connection: u64,
        /// The MQTT client id.
        client_id: String,
        /// The filters with the level that was asked for.
        filters: Vec<(String, Qos)>,
    },
    /// A client's message was taken. For QoS 1 this is recorded when the PUBACK has been sent,
    /// or, with `acknowledged: false`, when the connection ended before that.
    Published {
        /// Number of the TCP connection.
        connection: u64,
        /// The MQTT client id.
        client_id: String,
        /// The topic.
        topic: String,
        /// The level it was sent with.
        qos: Qos,
        /// Length of the payload in bytes.
        payload_len: usize,
        /// Whether the client marked it as sent before.
        duplicate: bool,
        /// Whether the PUBACK was written to the client; always false for QoS 0.
        acknowledged: bool,
    },
    /// A shadow changed, by a device or by the cloud.
    ShadowUpdated {
        /// The connection of the device; `None` if the cloud did it.
        connection: Option<u64>,
        /// The thing.
        thing: String,
        /// The shadow's name; `None` is the classic shadow.
        name: Option<String>,
        /// The new version.
        version: u64,
        /// The complete state after the change: `desired` and `reported`.
        state: Value,
    },
    /// A device's certificate was registered by just-in-time registration; it is PENDING_ACTIVATION.
    CertificateRegistered {
        /// Number of the TCP connection.
        connection: u64,
        /// Id of the client certificate.
        certificate_id: CertificateId,
        /// Id of the authority that signed it.
        ca_certificate_id: CertificateId,
    },
    /// Fleet provisioning made a certificate; it is PENDING_ACTIVATION.
    CertificateCreated {
        /// Number of the TCP connection.
        connection: u64,
        /// Id of the new certificate.
        certificate_id: CertificateId,
    },
    /// A template was run, and the certificate has the status that the template gives it.
    Provisioned {
        /// Number of the TCP connection that asked; `None` is just-in-time provisioning.
        connection: Option<u64>,
        /// Id of the certificate.
        certificate_id: CertificateId,
        /// The thing, if the template makes one.
        thing: Option<String>,
    },
    /// A template of just-in-time provisioning could not be run; the certificate stays PENDING_ACTIVATION. AWS tells
    /// so in CloudWatch and CloudTrail only.
    ProvisioningFailed {
        /// Id of the certificate.
        certificate_id: CertificateId,
        /// Why.
        problem: String,
    },
    /// A request to fleet provisioning was rejected.
    ProvisioningRejected {
        /// Number of the TCP connection.
        connection: u64,
        /// The topic of the request.
        topic: String,
        /// The `errorCode` that the device gets.
        code: String,
        /// The `errorMessage`.
        message: String,
    },
    /// A message was discarded without an acknowledgement, because its connection publishes too much.
    Throttled {
        /// Number of the TCP connection.
        connection: u64,
        /// The topic.
        topic: String,
    },
    /// A connection ended before it was [`Event::Connected`].
    Refused {
        /// Number of the TCP connection.
        connection: u64,
        /// The listener that was dialled.
        listener: Listener,
        /// Why.
        reason: Reason,
    },
    /// A connection that was [`Event::Connected`] ended.
    Disconnected {
        /// Number of the TCP connection.
        connection: u64,
        /// The MQTT client id.
        client_id: String,
        /// Why.
        reason: Reason,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TlsAccepted {
                connection,
                version,
                cipher_suite,
                alpn,
                certificate_id,
                common_name,
                ..
            } => {
                write!(f, "#{connection} {version} {cipher_suite}")?;
                if let Some(alpn) = alpn {
                    write!(f, " ALPN {alpn}")?;
                }
                write!(f, " certificate {certificate_id}")?;
                if let Some(name) = common_name {
                    write!(f, " of {name:?}")?;
                }
                Ok(())
            }
            Self::Connected { connection, client_id, session_present, .. } => {
                let session = if *session_present { "resumed" } else { "new" };
                write!(f, "#{connection} {client_id:?} connected, {session} session")
            }
            Self::Subscribed { connection, client_id, filters } => {
                write!(f, "#{connection} {client_id:?} subscribed to")?;
                filters.iter().try_for_each(|(filter, qos)| write!(f, " {filter} (QoS {})", *qos as u8))
            }
            Self::Published { connection, client_id, topic, qos, payload_len, acknowledged, .. } => {
                let answer = if *acknowledged { ", acknowledged" } else { "" };
                let level = *qos as u8;
                write!(
                    f,
                    "#{connection} {client_id:?} published {payload_len} bytes to {topic}, QoS {level}{answer}"
                )
            }
            Self::ShadowUpdated { thing, name, version, .. } => {
                write!(
                    f,
                    "shadow {} of {thing} is at version {version}",
                    name.as_deref().unwrap_or("(classic)")
                )
            }
            Self::CertificateRegistered { connection, certificate_id, ca_certificate_id } => {
                write!(
                    f,
                    "#{connection} certificate {certificate_id} of CA {ca_certificate_id} registered itself"
                )
            }
            Self::CertificateCreated { connection, certificate_id } => {
                write!(f, "#{connection} certificate {certificate_id} created")
            }
            Self::Provisioned { certificate_id, thing, .. } => {
                write!(
                    f,
                    "certificate {certificate_id} provisioned as {}",
                    thing.as_deref().unwrap_or("no thing")
                )
            }
            Self::ProvisioningFailed { certificate_id, problem } => {
                write!(f, "certificate {certificate_id} could not be provisioned: {problem}")
            }
            Self::ProvisioningRejected { connection, topic, code, message } => {
                write!(f, "#{connection} rejected {topic}: {code}: {message}")
            }
            Self::Throttled { connection, topic } => {
                write!(f, "#{connection} publishes too much: a message to {topic} was discarded")
            }
            Self::Refused { connection, listener, reason } => {
                write!(f, "#{connection} refused on the {listener:?} listener: {reason}")
            }
            Self::Disconnected { connection, client_id, reason } => {
                write!(f, "#{connection} {client_id:?} disconnected: {reason}")
            }
        }
    }
}
