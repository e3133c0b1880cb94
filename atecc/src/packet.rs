//! Groups of bytes as they travel to and from the chip: count, packet, CRC-16 (sections 4.1 and 4.2).

use core::fmt;

use heapless::Vec;
use zeroize::Zeroize;

use crate::Status;

/// Longest group, count and CRC included (section 4.1).
pub const MAX_GROUP: usize = 155;
/// Shortest group: count, one byte, CRC.
pub const MIN_GROUP: usize = 4;
/// Longest data of a response that any command of the ATECC608 gives (SHA, Read_Context), with room to spare.
pub const MAX_RESPONSE_DATA: usize = 128;
/// Bytes of a group that are not its packet: the count before, the CRC behind.
pub const OVERHEAD: usize = 3;
/// What is read behind the end of the output buffer, and from a bus that nobody drives; and what some adapters
/// leave in the buffer when nobody acknowledged.
const FILL: [u8; 2] = [0xff, 0x00];
/// Opcode, Param1 and Param2: what stands before the data of a command.
const HEADER: usize = 4;

/// One command, ready for the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct Packet {
    group: Vec<u8, MAX_GROUP>,
    response_data: Option<u8>,
}

impl Packet {
    /// A command of `opcode`, `param1`, `param2` (little-endian on the wire) and the concatenation of `data`,
    /// whose result has `response_data` bytes.
    ///
    /// The typed commands are the callers; their data fits by construction. Data beyond the longest group is
    /// cut off, which the chip answers with a parse error.
    pub fn new(opcode: u8, param1: u8, param2: u16, data: &[&[u8]], response_data: u8) -> Self {
        let length: usize = data.iter().map(|part| part.len()).sum();
        let count = (OVERHEAD + HEADER + length).min(MAX_GROUP);
        let [low, high] = param2.to_le_bytes();
        let header = [count as u8, opcode, param1, low, high];
        let mut group: Vec<u8, MAX_GROUP> =
            header.iter().chain(data.iter().copied().flatten()).copied().take(count - 2).collect();
        let crc = crc16(&group);
        // Two bytes are free: the group was cut at count - 2.
        let _ = group.extend_from_slice(&crc);
        Self { group, response_data: Some(response_data) }
    }

    /// The same command without its data: what it does and to which slot, where the data is not known yet.
    #[must_use]
    pub fn without_data(&self) -> Self {
        let response_data = self.response_data.unwrap_or_default();
        Self::new(self.opcode(), self.param1(), self.param2(), &[], response_data)
    }

    /// The command in a received group, for the far end of a link and for the emulated chip.
    ///
    /// # Errors
    /// When the count disagrees with the length, the length is outside of 7 to 155 bytes, or the CRC is wrong.
    pub fn parse(group: &[u8]) -> Result<Self, GroupError> {
        let body = check(group)?;
        if body.len() < HEADER {
            return Err(GroupError::Length { received: group.len() });
        }
        let group = Vec::from_slice(group).map_err(|_| GroupError::Length { received: group.len() })?;
        let response_data = crate::command::result_length(group[1], group[2]);
        Ok(Self { group, response_data })
    }

    /// The whole group: count, opcode, parameters, data, CRC. 7 to 155 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.group
    }

    /// The operation that the chip is asked for.
    pub fn opcode(&self) -> u8 {
        self.group[1]
    }

    /// The first parameter; most commands call it the mode.
    pub fn param1(&self) -> u8 {
        self.group[2]
    }

    /// The second parameter: an address, a slot, a key id.
    pub fn param2(&self) -> u16 {
        u16::from_le_bytes([self.group[3], self.group[4]])
    }

    /// What follows the parameters, without the CRC.
    pub fn data(&self) -> &[u8] {
        &self.group[1 + HEADER..self.group.len() - 2]
    }

    /// Length of the result's data in bytes; a status is one byte. Of a group that came from elsewhere it is known for
    /// the commands of a signature and for reads, so that a far end keeps its bus no longer than it has to.
    pub fn response_data(&self) -> Option<usize> {
        self.response_data.map(usize::from)
    }
}

impl Drop for Packet {
    /// Leaves nothing behind: the data may be a secret.
    fn drop(&mut self) {
        self.group.as_mut_slice().zeroize();
    }
}

impl fmt::Debug for Packet {
    /// Names the command only: the data may be a digest or a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(0x{:02x}, 0x{:04x})", crate::command::name(self.opcode()), self.param1(), self.param2())
    }
}

/// One answer of the chip: the bytes between count and CRC.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    data: Vec<u8, MAX_RESPONSE_DATA>,
}

impl Response {
    /// The answer whose data is `data`, 1 to 128 bytes; a single byte is a status.
    ///
    /// # Errors
    /// When `data` has another length.
    pub fn new(data: &[u8]) -> Result<Self, GroupError> {
        match Vec::from_slice(data) {
            Ok(data) if !data.is_empty() => Ok(Self { data }),
            _ => Err(GroupError::Length { received: data.len() + OVERHEAD }),
        }
    }

    /// The answer at the beginning of `bytes`. Whatever follows the group is ignored: a read may be longer
    /// than the answer, and the chip fills with 0xFF.
    ///
    /// # Errors
    /// When there is none, the count is impossible or larger than `bytes`, or the CRC is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, GroupError> {
        if FILL.iter().any(|fill| bytes.iter().all(|byte| byte == fill)) {
            return Err(GroupError::Empty);
        }
        let count = bytes.first().map_or(0, |&count| usize::from(count));
        let group = bytes.get(..count).ok_or(GroupError::Length { received: bytes.len() })?;
        Self::new(check(group)?)
    }

    /// The whole group: count, data, CRC.
    pub fn to_group(&self) -> Vec<u8, MAX_GROUP> {
        let mut group = Vec::new();
        // 1 + 128 + 2 bytes fit into a group.
        let _ = group.push((self.data.len() + OVERHEAD) as u8);
        let _ = group.extend_from_slice(&self.data);
        let crc = crc16(&group);
        let _ = group.extend_from_slice(&crc);
        group
    }

    /// The bytes between count and CRC.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The status, if the answer is one (a group of four bytes, section 4.3).
    pub fn status(&self) -> Option<Status> {
        match self.data[..] {
            [code] => Some(Status::from_code(code)),
            _ => None,
        }
    }
}

impl Drop for Response {
    /// Leaves nothing behind: the data may be a secret.
    fn drop(&mut self) {
        self.data.as_mut_slice().zeroize();
    }
}

impl fmt::Debug for Response {
    /// Tells the status or the length only: the data may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status() {
            Some(status) => write!(f, "Response({status:?})"),
            None => write!(f, "Response({} bytes)", self.data.len()),
        }
    }
}

/// Bytes that are not a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupError {
    /// The count and the number of bytes do not agree, or no group has this length.
    Length {
        /// Bytes at hand.
        received: usize,
    },
    /// There is only fill, 0xFF or 0x00, where a group should be.
    Empty,
    /// The CRC-16 at the end is not that of the bytes before it.
    Crc,
}

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { received } => write!(f, "{received} bytes are not a group of the chip"),
            Self::Empty => f.write_str("nothing but fill was read"),
            Self::Crc => f.write_str("the checksum of the group is wrong"),
        }
    }
}

impl core::error::Error for GroupError {}

/// The CRC-16 of section 4.1 over `bytes`, in wire order (low byte first): polynomial 0x8005, register zero at
/// the start, each byte fed from its least significant bit.
pub fn crc16(bytes: &[u8]) -> [u8; 2] {
    let mut register = 0u16;
    for byte in bytes {
        for bit in 0..8 {
            let feedback = (register >> 15) ^ u16::from(byte >> bit & 1);
            register = register << 1 ^ if feedback == 1 { 0x8005 } else { 0 };
        }
    }
    register.to_le_bytes()
}

/// The bytes between count and CRC of exactly one group.
fn check(group: &[u8]) -> Result<&[u8], GroupError> {
    let length = GroupError::Length { received: group.len() };
    if !(MIN_GROUP..=MAX_GROUP).contains(&group.len()) || usize::from(group[0]) != group.len() {
        return Err(length);
    }
    let (body, crc) = group.split_at(group.len() - 2);
    if crc16(body) != crc {
        return Err(GroupError::Crc);
    }
    Ok(&body[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer to a wake that every driver of the family waits for.
    const AFTER_WAKE: [u8; 4] = [0x04, 0x11, 0x33, 0x43];

    #[test]
    fn the_wake_answer_of_a_real_chip_parses() {
        assert_eq!(Response::parse(&AFTER_WAKE).unwrap().status(), Some(Status::AfterWake));
        assert_eq!(Response::new(&[0x11]).unwrap().to_group(), AFTER_WAKE);
    }

    #[test]
    fn the_fill_behind_a_status_is_ignored() {
        assert_eq!(
            Response::parse(&[0x04, 0x11, 0x33, 0x43, 0xff, 0xff]).unwrap().status(),
            Some(Status::AfterWake)
        );
    }

    #[test]
    fn damage_anywhere_is_noticed() {
        let group = Packet::new(0x41, 0xa0, 0, &[], 64).as_bytes().to_owned();
        assert!(Packet::parse(&group).is_ok());
        for position in 0..group.len() {
            for bit in 0..8 {
                let mut damaged = group.clone();
                damaged[position] ^= 1 << bit;
                assert!(Packet::parse(&damaged).is_err(), "byte {position}, bit {bit}");
            }
        }
    }

    #[test]
    fn no_input_is_too_short_or_too_long() {
        let bytes = [0x9b; 400];
        for length in 0..bytes.len() {
            let _ = Response::parse(&bytes[..length]);
            let _ = Packet::parse(&bytes[..length]);
        }
        assert_eq!(Packet::new(1, 2, 3, &[&bytes], 1).as_bytes().len(), MAX_GROUP);
    }

    trait ToOwned {
        fn to_owned(&self) -> Vec<u8, MAX_GROUP>;
    }
    impl ToOwned for [u8] {
        fn to_owned(&self) -> Vec<u8, MAX_GROUP> {
            Vec::from_slice(self).unwrap()
        }
    }
}
