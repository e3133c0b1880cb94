//! The bytes on the socket.
//!
//! The server greets with [`GREETING`]. Then the client asks and the server answers, one transfer at a time:
//!
//! - request: address (7 bits), number of operations (1 to 8); per operation 0x00 (write) or 0x01 (read), its
//!   length (two bytes, little-endian, at most 1024), and for a write its bytes;
//! - answer: 0x00, then the bytes of all reads; or 0x01: nobody acknowledged.

use std::io::{self, Read};

use embedded_hal::i2c::Operation;

/// Says what this is, and the version of the protocol.
pub(super) const GREETING: &[u8; 24] = b"ATECC-EMULATOR I2C BUS 1";
/// Most operations of one transfer.
pub(super) const MAX_OPERATIONS: usize = 8;
/// Most bytes of one operation.
pub(super) const MAX_LENGTH: usize = 1024;

/// The transfer took place.
pub(super) const DONE: u8 = 0x00;
/// Nobody acknowledged the address.
pub(super) const NO_ACKNOWLEDGE: u8 = 0x01;

const WRITE: u8 = 0x00;
const READ: u8 = 0x01;

/// A request, decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) address: u8,
    pub(super) operations: Vec<Transfer>,
}

/// One operation of a request, with the buffer that it fills or sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    Write(Vec<u8>),
    Read(Vec<u8>),
}

/// The request for these operations, or `None` if they are too many or too long.
pub(super) fn encode(address: u8, operations: &[Operation<'_>]) -> Option<Vec<u8>> {
    if operations.is_empty() || operations.len() > MAX_OPERATIONS {
        return None;
    }
    let mut bytes = vec![address, operations.len() as u8];
    for operation in operations {
        let (kind, length, data): (u8, usize, &[u8]) = match operation {
            Operation::Write(data) => (WRITE, data.len(), data),
            Operation::Read(buffer) => (READ, buffer.len(), &[]),
        };
        if length > MAX_LENGTH {
            return None;
        }
        bytes.push(kind);
        bytes.extend_from_slice(&(length as u16).to_le_bytes());
        bytes.extend_from_slice(data);
    }
    Some(bytes)
}

/// Reads one request.
///
/// # Errors
/// When the stream ends or fails, or with [`io::ErrorKind::InvalidData`] when it is no request.
pub(super) fn decode(stream: &mut impl Read) -> io::Result<Request> {
    let [address, count] = array(stream)?;
    if address > 0x7f || count == 0 || usize::from(count) > MAX_OPERATIONS {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let operations = (0..count).map(|_| operation(stream)).collect::<io::Result<_>>()?;
    Ok(Request { address, operations })
}

fn operation(stream: &mut impl Read) -> io::Result<Transfer> {
    let [kind, low, high] = array(stream)?;
    let length = usize::from(u16::from_le_bytes([low, high]));
    if length > MAX_LENGTH {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut buffer = vec![0; length];
    match kind {
        WRITE => {
            stream.read_exact(&mut buffer)?;
            Ok(Transfer::Write(buffer))
        }
        READ => Ok(Transfer::Read(buffer)),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn array<const N: usize>(stream: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_what_was_asked() {
        let mut buffer = [0; 4];
        let operations = [Operation::Write(&[0x03, 0x07]), Operation::Read(&mut buffer)];
        let bytes = encode(0x35, &operations).unwrap();
        assert_eq!(bytes, [0x35, 2, 0, 2, 0, 0x03, 0x07, 1, 4, 0]);
        let request = decode(&mut &bytes[..]).unwrap();
        assert_eq!(
            request,
            Request {
                address: 0x35,
                operations: vec![Transfer::Write(vec![0x03, 0x07]), Transfer::Read(vec![0; 4])]
            }
        );
    }

    #[test]
    fn garbage_is_refused() {
        for bytes in [&[0x80, 1][..], &[0x35, 0], &[0x35, 9], &[0x35, 1, 2, 0, 0], &[0x35, 1, 0, 0xff, 0xff]]
        {
            assert_eq!(decode(&mut &bytes[..]).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
        assert_eq!(decode(&mut &[0x35][..]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
