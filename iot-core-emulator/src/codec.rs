//! Packets of MQTT 3.1.1 from and to byte streams, by the codec of `rumqttc`.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rumqttc::{Packet, mqttbytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::Reason;
use crate::limits::LARGEST_PACKET;

/// How long the other side may take to make room for what is written to it.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// Bytes asked for at once.
const CHUNK: usize = 8 * 1024;

/// A packet, and the bytes it came in, to be forwarded unchanged.
pub(crate) struct Frame {
    pub(crate) packet: Packet,
    pub(crate) bytes: Bytes,
}

/// Reads packets from one direction of a stream.
pub(crate) struct Reader<R> {
    stream: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(crate) fn new(stream: R) -> Self {
        Self { stream, buffer: BytesMut::new() }
    }

    /// The next packet. At most one packet of the allowed size is buffered. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Result<Frame, Reason> {
        loop {
            if let Some(frame) = take(&mut self.buffer)? {
                return Ok(frame);
            }
            self.buffer.reserve(CHUNK);
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return Err(Reason::Lost),
                Ok(_) => {}
            }
        }
    }
}

/// Writes bytes out, within a limit of time.
pub(crate) async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), Reason> {
    let written = timeout(WRITE_LIMIT, async {
        stream.write_all(bytes).await?;
        stream.flush().await
    });
    match written.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Reason::Lost),
    }
}

/// The bytes of a packet that the emulator makes itself.
pub(crate) fn encode(packet: &Packet) -> Result<BytesMut, Reason> {
    let mut bytes = BytesMut::new();
    packet.write(&mut bytes, LARGEST_PACKET + 5).map_err(|error| protocol(&error))?;
    Ok(bytes)
}

/// Takes one complete packet off the front of a buffer.
fn take(buffer: &mut BytesMut) -> Result<Option<Frame>, Reason> {
    let length = match mqttbytes::check(buffer.iter(), LARGEST_PACKET) {
        Ok(header) => header.frame_length(),
        Err(mqttbytes::Error::InsufficientBytes(_)) => return Ok(None),
        Err(mqttbytes::Error::PayloadSizeLimitExceeded(_)) => return Err(Reason::PayloadTooLarge),
        Err(error) => return Err(protocol(&error)),
    };
    let mut frame = buffer.split_to(length);
    let bytes = Bytes::copy_from_slice(&frame);
    let packet = Packet::read(&mut frame, LARGEST_PACKET).map_err(|error| protocol(&error))?;
    Ok(Some(Frame { packet, bytes }))
}

fn protocol(error: &mqttbytes::Error) -> Reason {
    Reason::Protocol(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_taken_one_by_one() {
        let mut buffer = encode(&Packet::PingReq).unwrap();
        buffer.extend_from_slice(&encode(&Packet::Disconnect).unwrap());
        buffer.extend_from_slice(&[0x30, 5, 0]);
        assert_eq!(take(&mut buffer).unwrap().unwrap().packet, Packet::PingReq);
        assert_eq!(take(&mut buffer).unwrap().unwrap().bytes, [0xE0, 0].as_slice());
        assert!(take(&mut buffer).unwrap().is_none());
    }

    #[test]
    fn a_packet_that_announces_too_much_is_refused_before_it_comes() {
        let mut buffer = BytesMut::from([0x30, 0xFF, 0xFF, 0xFF, 0x7F].as_slice());
        assert!(matches!(take(&mut buffer), Err(Reason::PayloadTooLarge)));
        let mut buffer = BytesMut::from([0xFF; 6].as_slice());
        assert!(take(&mut buffer).is_err());
    }
}
