//! The bus on the near side of the socket.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use embedded_hal::i2c::{ErrorType, I2c, Operation};

use super::wire;
use crate::BusError;

/// Longer than any transfer: 1024 bytes at 10 kHz, and as much again for a busy server.
const PATIENCE: Duration = Duration::from_secs(5);

/// An emulated bus in another process. Asleep or busy chips do not delay a transfer; a dead server does, by at
/// most five seconds. A server that comes back is found again by the transfer after the one that missed it.
#[derive(Debug)]
pub struct SocketBus {
    socket: PathBuf,
    stream: Option<UnixStream>,
}

impl SocketBus {
    /// Connects to the server on `socket` and checks that it is one.
    ///
    /// # Errors
    /// When nobody listens there, or it is something else.
    pub fn connect(socket: &Path) -> Result<Self, BusError> {
        Ok(Self { socket: socket.into(), stream: Some(greeted(socket)?) })
    }

    fn transfer(
        stream: &mut UnixStream,
        request: &[u8],
        operations: &mut [Operation<'_>],
    ) -> Result<(), BusError> {
        stream.write_all(request).map_err(gone)?;
        let mut status = [0];
        stream.read_exact(&mut status).map_err(gone)?;
        match status {
            [wire::DONE] => {}
            [wire::NO_ACKNOWLEDGE] => return Err(BusError::NoAcknowledge),
            _ => return Err(BusError::Protocol),
        }
        for operation in operations {
            if let Operation::Read(buffer) = operation {
                stream.read_exact(buffer).map_err(gone)?;
            }
        }
        Ok(())
    }
}

impl ErrorType for SocketBus {
    type Error = BusError;
}

impl I2c for SocketBus {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), BusError> {
        let request = wire::encode(address, operations).ok_or(BusError::Protocol)?;
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => greeted(&self.socket)?,
        };
        let result = Self::transfer(&mut stream, &request, operations);
        // After any other failure nobody knows what the stream holds.
        if matches!(result, Ok(()) | Err(BusError::NoAcknowledge)) {
            self.stream = Some(stream);
        }
        result
    }
}

/// A connection whose far end has said that it is an emulated bus.
fn greeted(socket: &Path) -> Result<UnixStream, BusError> {
    let mut stream = UnixStream::connect(socket).map_err(gone)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(gone)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(gone)?;
    let mut greeting = [0; wire::GREETING.len()];
    stream.read_exact(&mut greeting).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::WouldBlock => BusError::Protocol,
        kind => BusError::Gone(kind),
    })?;
    if &greeting == wire::GREETING { Ok(stream) } else { Err(BusError::Protocol) }
}

fn gone(error: io::Error) -> BusError {
    BusError::Gone(error.kind())
}
