//! A client of the agent's listener, byte by byte: MQTT 3.1.1 as a small program speaks it.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::daemon::LIMIT;

/// Either way in.
pub(super) trait Stream: Read + Write {
    fn patience(&self, limit: Duration) -> Result<()>;
}

impl Stream for UnixStream {
    fn patience(&self, limit: Duration) -> Result<()> {
        self.set_read_timeout(Some(limit))
    }
}

impl Stream for TcpStream {
    fn patience(&self, limit: Duration) -> Result<()> {
        self.set_read_timeout(Some(limit))
    }
}

/// A client that was let in.
pub(super) struct Client<S>(S);

impl Client<UnixStream> {
    pub(super) fn on_socket(socket: &Path, id: &str) -> Result<Self> {
        Self::enter(UnixStream::connect(socket)?, id)
    }
}

impl Client<TcpStream> {
    pub(super) fn on_port(port: u16, id: &str) -> Result<Self> {
        Self::enter(TcpStream::connect(("127.0.0.1", port))?, id)
    }
}

impl<S: Stream> Client<S> {
    fn enter(mut stream: S, id: &str) -> Result<Self> {
        stream.patience(LIMIT)?;
        let length = u8::try_from(id.len()).unwrap();
        let head = [&[0x10, 12 + length][..], b"\0\x04MQTT\x04\x02\0\0\0", &[length], id.as_bytes()];
        stream.write_all(&head.concat())?;
        let mut answer = [0; 4];
        stream.read_exact(&mut answer)?;
        match answer {
            [0x20, 2, 0, 0] => Ok(Self(stream)),
            other => Err(std::io::Error::other(format!("{other:?} instead of CONNACK"))),
        }
    }

    /// Sends a message at QoS 1.
    pub(super) fn publish(&mut self, id: u8, payload: &[u8]) -> Result<()> {
        let mut length = 5 + payload.len();
        let mut packet = vec![0x32];
        loop {
            let more = u8::from(length > 127) << 7;
            packet.push(u8::try_from(length % 128).unwrap() | more);
            length /= 128;
            if length == 0 {
                break;
            }
        }
        packet.extend([0, 1, b't', 0, id]);
        packet.extend(payload);
        self.0.write_all(&packet)
    }

    /// Waits for the acknowledgement. An error: the connection ended.
    pub(super) fn acknowledged(&mut self, id: u8) -> Result<()> {
        let mut answer = [0; 4];
        self.0.read_exact(&mut answer)?;
        assert_eq!(answer, [0x40, 2, 0, id]);
        Ok(())
    }

    /// Whether the agent has not cut it.
    pub(super) fn is_connected(&mut self) -> bool {
        self.0.patience(Duration::from_millis(1)).unwrap();
        match self.0.read(&mut [0; 1]) {
            Ok(length) => length > 0,
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}
