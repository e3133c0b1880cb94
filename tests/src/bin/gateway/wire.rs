//! MQTT 3.1.1 over blocking streams, by the codec of `rumqttc`.

use std::io::{self, ErrorKind, Read, Write};

use bytes::{Bytes, BytesMut};
use rumqttc::{Packet, Publish, QoS, mqttbytes};

/// Bytes of a packet at most.
const LARGEST: usize = 1 << 20;

/// Packets over a stream.
pub(crate) struct Wire<S> {
    stream: S,
    incoming: BytesMut,
    outgoing: BytesMut,
}

impl<S: Read + Write> Wire<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, incoming: BytesMut::new(), outgoing: BytesMut::new() }
    }

    /// The next packet that is in memory already.
    pub(crate) fn ready(&mut self) -> io::Result<Option<Packet>> {
        match Packet::read(&mut self.incoming, LARGEST) {
            Ok(packet) => Ok(Some(packet)),
            Err(mqttbytes::Error::InsufficientBytes(_)) => Ok(None),
            Err(error) => Err(io::Error::new(ErrorKind::InvalidData, error.to_string())),
        }
    }

    /// Reads once. `false`: the stream's time limit passed.
    pub(crate) fn receive(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                self.incoming.extend_from_slice(&buffer[..length]);
                Ok(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The next packet. An error, too, when the stream's time limit passes before.
    pub(crate) fn next(&mut self) -> io::Result<Packet> {
        loop {
            if let Some(packet) = self.ready()? {
                return Ok(packet);
            }
            if !self.receive()? {
                return Err(ErrorKind::TimedOut.into());
            }
        }
    }

    /// Puts a packet into the next write.
    pub(crate) fn put(&mut self, packet: &Packet) -> io::Result<()> {
        let written = packet.write(&mut self.outgoing, LARGEST);
        written.map(|_| ()).map_err(|error| io::Error::new(ErrorKind::InvalidData, error.to_string()))
    }

    /// Puts a PUBLISH of QoS 1 into the next write.
    pub(crate) fn put_publish(&mut self, id: u16, topic: &str, payload: Vec<u8>) -> io::Result<()> {
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload);
        publish.pkid = id;
        self.put(&Packet::Publish(publish))
    }

    /// Bytes that wait for the next write.
    pub(crate) fn waiting(&self) -> usize {
        self.outgoing.len()
    }

    /// Writes what was put.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.outgoing)?;
        self.outgoing.clear();
        self.stream.flush()
    }

    /// Sends CONNECT and waits for CONNACK.
    pub(crate) fn connect(&mut self, id: &str, clean_session: bool) -> io::Result<()> {
        let mut connect = rumqttc::Connect::new(id);
        connect.keep_alive = 0;
        connect.clean_session = clean_session;
        self.put(&Packet::Connect(connect))?;
        self.flush()?;
        match self.next()? {
            Packet::ConnAck(answer) if answer.code == rumqttc::ConnectReturnCode::Success => Ok(()),
            other => Err(io::Error::other(format!("{other:?} instead of CONNACK"))),
        }
    }

    /// Subscribes at QoS 1 and waits for SUBACK.
    pub(crate) fn subscribe(&mut self, filter: &str) -> io::Result<()> {
        let mut subscribe = rumqttc::Subscribe::new(filter, QoS::AtLeastOnce);
        subscribe.pkid = 1;
        self.put(&Packet::Subscribe(subscribe))?;
        self.flush()?;
        match self.next()? {
            Packet::SubAck(_) => Ok(()),
            other => Err(io::Error::other(format!("{other:?} instead of SUBACK"))),
        }
    }
}

/// The text of a topic.
pub(crate) fn text(topic: &Bytes) -> String {
    String::from_utf8_lossy(topic).into_owned()
}
