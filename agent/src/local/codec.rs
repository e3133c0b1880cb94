//! Packets of both versions of MQTT from and to byte streams, by the codecs of `rumqttc`.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rumqttc::mqttbytes;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout_at};

use crate::mqtt::MAX_PAYLOAD;

/// Bytes of a packet at most: a payload that AWS takes, and room to say that one is a little too large.
pub(super) const LARGEST_PACKET: usize = MAX_PAYLOAD + 64 * 1024;
/// How long a packet may take from its first byte to its last.
const PACKET_LIMIT: Duration = Duration::from_secs(20);
/// Bytes asked for at once.
const CHUNK: usize = 4 * 1024;

/// The version of the protocol that a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V4,
    V5,
}

/// A connection cannot go on.
#[derive(Debug)]
pub(super) struct Broken;

/// Whole packets out of a stream.
pub(super) struct Reader<R> {
    stream: R,
    buffer: BytesMut,
    begun: Option<Instant>,
}

/// What of a CONNECT matters to the front.
pub(super) struct Connect {
    pub(super) version: Version,
    pub(super) client_id: String,
    pub(super) keep_alive: u16,
    pub(super) will: Option<Publish>,
    /// The packet for the library: without will and keep-alive, which the front looks after.
    pub(super) forward: BytesMut,
}

/// What of a PUBLISH matters to the front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Publish {
    pub(super) topic: String,
    pub(super) payload: Bytes,
    pub(super) retain: bool,
    /// Its packet id at QoS 1; `None` at QoS 0.
    pub(super) id: Option<u16>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(super) fn new(stream: R) -> Self {
        Self { stream, buffer: BytesMut::new(), begun: None }
    }

    /// The next packet, as it came. Safe to cancel. A packet that is too large, or comes too slowly, ends it.
    pub(super) async fn next(&mut self) -> Result<Bytes, Broken> {
        loop {
            if let Some(length) = complete(&self.buffer)? {
                self.begun = None;
                return Ok(self.buffer.split_to(length).freeze());
            }
            if self.buffer.capacity() - self.buffer.len() < CHUNK / 2 {
                self.buffer.reserve(CHUNK);
            }
            let read = self.stream.read_buf(&mut self.buffer);
            let bytes = if let Some(begun) = self.begun {
                timeout_at(begun + PACKET_LIMIT, read).await.map_err(|_| Broken)?
            } else {
                read.await
            };
            match bytes {
                Ok(0) | Err(_) => return Err(Broken),
                Ok(_) => {
                    self.begun.get_or_insert_with(Instant::now);
                }
            }
        }
    }

    /// A packet that is whole in memory already.
    pub(super) fn ready(&mut self) -> Option<Bytes> {
        let length = complete(&self.buffer).ok()??;
        self.begun = None;
        Some(self.buffer.split_to(length).freeze())
    }
}

/// The length of the first packet of a buffer, if it is whole.
fn complete(buffer: &BytesMut) -> Result<Option<usize>, Broken> {
    match mqttbytes::check(buffer.iter(), LARGEST_PACKET) {
        Ok(header) => Ok(Some(header.frame_length())),
        Err(mqttbytes::Error::InsufficientBytes(_)) => Ok(None),
        Err(_) => Err(Broken),
    }
}

/// The type of a packet, as the standard numbers them.
pub(super) fn kind(packet: &[u8]) -> u8 {
    packet.first().map_or(0, |first| first >> 4)
}

/// The packet types that the front looks at (MQTT 5, 2.1.2).
pub(super) const CONNECT: u8 = 1;
pub(super) const PUBLISH: u8 = 3;
pub(super) const SUBSCRIBE: u8 = 8;
pub(super) const DISCONNECT: u8 = 14;

/// Understands CONNECT of MQTT 3.1.1 or 5.
pub(super) fn connect(packet: &Bytes) -> Result<Connect, Broken> {
    if kind(packet) != CONNECT {
        return Err(Broken);
    }
    // Fixed header, then "MQTT" with its length, then the version.
    let name = packet.windows(6).take(6).position(|bytes| bytes == b"\0\x04MQTT").ok_or(Broken)?;
    match packet.get(name + 6) {
        Some(4) => connect_v4(packet),
        Some(5) => connect_v5(packet),
        _ => Err(Broken),
    }
}

fn connect_v4(packet: &Bytes) -> Result<Connect, Broken> {
    let read = rumqttc::Packet::read(&mut packet.clone().into(), LARGEST_PACKET).map_err(|_| Broken)?;
    let rumqttc::Packet::Connect(mut connect) = read else { return Err(Broken) };
    let will = match connect.last_will.take() {
        Some(will) => {
            Some(Publish { topic: will.topic, payload: will.message, retain: will.retain, id: Some(0) })
        }
        None => None,
    };
    let keep_alive = std::mem::take(&mut connect.keep_alive);
    let client_id = connect.client_id.clone();
    let mut forward = BytesMut::new();
    rumqttc::Packet::Connect(connect).write(&mut forward, LARGEST_PACKET).map_err(|_| Broken)?;
    Ok(Connect { version: Version::V4, client_id, keep_alive, will, forward })
}

fn connect_v5(packet: &Bytes) -> Result<Connect, Broken> {
    let most = u32::try_from(LARGEST_PACKET).ok();
    let read = rumqttc_v5::Packet::read(&mut packet.clone().into(), most).map_err(|_| Broken)?;
    let rumqttc_v5::Packet::Connect(mut connect, will, auth) = read else { return Err(Broken) };
    let will = match will {
        Some(will) => Some(Publish {
            topic: String::from_utf8(will.topic.to_vec()).map_err(|_| Broken)?,
            payload: will.message,
            retain: will.retain,
            id: Some(0),
        }),
        None => None,
    };
    let keep_alive = std::mem::take(&mut connect.keep_alive);
    let client_id = connect.client_id.clone();
    let mut forward = BytesMut::new();
    rumqttc_v5::Packet::Connect(connect, None, auth).write(&mut forward, most).map_err(|_| Broken)?;
    Ok(Connect { version: Version::V5, client_id, keep_alive, will, forward })
}

/// Understands PUBLISH. QoS 2 is not offered, and breaks the connection.
pub(super) fn publish(version: Version, packet: Bytes) -> Result<Publish, Broken> {
    let (topic, payload, retain, qos, id) = match version {
        Version::V4 => match rumqttc::Packet::read(&mut packet.into(), LARGEST_PACKET) {
            Ok(rumqttc::Packet::Publish(p)) => (p.topic, p.payload, p.retain, p.qos as u8, p.pkid),
            _ => return Err(Broken),
        },
        Version::V5 => {
            match rumqttc_v5::Packet::read(&mut packet.into(), u32::try_from(LARGEST_PACKET).ok()) {
                Ok(rumqttc_v5::Packet::Publish(p)) => (p.topic, p.payload, p.retain, p.qos as u8, p.pkid),
                _ => return Err(Broken),
            }
        }
    };
    let id = match (qos, id) {
        (0, _) => None,
        (1, 1..) => Some(id),
        _ => return Err(Broken),
    };
    // An empty topic would be an alias, which the library does not offer for us.
    let topic = String::from_utf8(topic.to_vec()).ok().filter(|topic| !topic.is_empty()).ok_or(Broken)?;
    // A copy: a slice would keep the whole buffer of the client alive.
    Ok(Publish { topic, payload: Bytes::copy_from_slice(&payload), retain, id })
}

/// CONNACK for a client for whom there is no place.
pub(super) fn busy(version: Version) -> BytesMut {
    let mut out = BytesMut::new();
    let written = match version {
        Version::V4 => {
            let code = rumqttc::ConnectReturnCode::ServiceUnavailable;
            rumqttc::ConnAck::new(code, false).write(&mut out).is_ok()
        }
        Version::V5 => {
            let code = rumqttc_v5::ConnectReturnCode::ServerBusy;
            rumqttc_v5::ConnAck { session_present: false, code, properties: None }.write(&mut out).is_ok()
        }
    };
    debug_assert!(written, "a few bytes into memory");
    out
}

/// Appends PUBACK. `refusal` is for MQTT 5 only, which can say so.
pub(super) fn puback(
    version: Version,
    id: u16,
    refusal: Option<(rumqttc_v5::PubAckReason, String)>,
    out: &mut BytesMut,
) -> Result<(), Broken> {
    match version {
        Version::V4 => rumqttc::PubAck::new(id).write(out).map_err(|_| Broken)?,
        Version::V5 => {
            let mut puback = rumqttc_v5::PubAck::new(id, None);
            if let Some((reason, text)) = refusal {
                puback.reason = reason;
                puback.properties = Some(rumqttc_v5::PubAckProperties {
                    reason_string: Some(text),
                    user_properties: Vec::new(),
                });
            }
            puback.write(out).map_err(|_| Broken)?
        }
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_of_both_versions_is_understood_and_stripped() {
        let mut v4 = rumqttc::Connect::new("me");
        v4.last_will = Some(rumqttc::LastWill::new("gone", "bye", rumqttc::QoS::AtLeastOnce, true));
        let mut packet = BytesMut::new();
        rumqttc::Packet::Connect(v4).write(&mut packet, 1000).unwrap();
        let connect = connect(&packet.freeze()).unwrap();
        assert_eq!(
            (connect.version, connect.client_id.as_str(), connect.keep_alive),
            (Version::V4, "me", 10)
        );
        assert_eq!(connect.will.unwrap().topic, "gone");
        let again = super::connect(&connect.forward.freeze()).unwrap();
        assert!(again.will.is_none() && again.keep_alive == 0);

        let v5 = rumqttc_v5::Connect {
            keep_alive: 7,
            client_id: "you".to_owned(),
            clean_start: true,
            properties: None,
        };
        let mut packet = BytesMut::new();
        rumqttc_v5::Packet::Connect(v5, None, rumqttc_v5::ConnectAuth::None)
            .write(&mut packet, None)
            .unwrap();
        let connect = super::connect(&packet.freeze()).unwrap();
        assert_eq!(
            (connect.version, connect.client_id.as_str(), connect.keep_alive),
            (Version::V5, "you", 7)
        );
    }

    #[test]
    fn what_is_no_connect_is_refused() {
        for bytes in
            [&b""[..], b"GET / HTTP/1.1\r\n", &[0x10, 0], &[0x10, 7, 0, 4, b'M', b'Q', b'T', b'T', 3]]
        {
            assert!(connect(&Bytes::copy_from_slice(bytes)).is_err(), "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn a_packet_that_announces_too_much_is_refused_before_it_comes() {
        let mut reader = Reader::new(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F][..]);
        assert!(reader.next().await.is_err());
        let mut reader = Reader::new(&[0xC0, 0, 0xC0, 0, 0xC0][..]);
        assert_eq!(reader.next().await.unwrap().len(), 2);
        assert_eq!(reader.ready().unwrap().len(), 2);
        assert!(reader.ready().is_none() && reader.next().await.is_err());
    }
}
