//! Read (section 5.1.6) and the addresses it takes (section 4.4).

use heapless::Vec;

use super::{Command, ExecutionTime};
use crate::{
    ResponseError, Slot, Status,
    packet::{Packet, Response},
    zone::{CONFIGURATION_ZONE, OTP_ZONE},
};

/// Read in clear text: 4 or 32 bytes of a zone (section 5.1.6.1).
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// What is read.
    pub zone: Zone,
    /// From where.
    pub address: Address,
    /// How much.
    pub size: ReadSize,
}

/// A zone of the EEPROM; for the data zone with the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// 128 bytes, always readable.
    Configuration,
    /// 64 bytes, always readable.
    Otp,
    /// A slot, readable as its SlotConfig says.
    Data(Slot),
}

impl Zone {
    /// Bits 1:0 of the mode (table 5-20).
    pub(super) const fn mode(self) -> u8 {
        match self {
            Self::Configuration => 0x00,
            Self::Otp => 0x01,
            Self::Data(_) => 0x02,
        }
    }

    /// Bytes in the zone, or in the slot.
    pub const fn size(self) -> usize {
        match self {
            Self::Configuration => CONFIGURATION_ZONE,
            Self::Otp => OTP_ZONE,
            Self::Data(slot) => slot.size(),
        }
    }

    /// The reads that fetch this zone or slot from `start` to `end`, both multiples of four: 32 bytes at a
    /// time where a whole block lies within, 4 bytes elsewhere.
    pub fn reads<const N: usize>(self, start: usize, end: usize) -> Vec<Read, N> {
        let mut reads = Vec::new();
        let mut at = start;
        while at < end.min(self.size()) {
            let size = if at.is_multiple_of(32) && at + 32 <= end { ReadSize::Block } else { ReadSize::Word };
            let address = Address { block: (at / 32) as u8, word: (at % 32 / 4) as u8 };
            if reads.push(Read { zone: self, address, size }).is_err() {
                break;
            }
            at += size.bytes();
        }
        reads
    }
}

/// A place in a zone or slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Which 32 bytes.
    pub block: u8,
    /// Which 4 bytes of the block, 0 to 7.
    pub word: u8,
}

impl Address {
    /// Param2 for this place in `zone` (tables 4-4, 4-6 and 4-8).
    pub(super) const fn encode(self, zone: Zone) -> u16 {
        let word = (self.word & 0x07) as u16;
        let block = self.block as u16;
        match zone {
            Zone::Configuration | Zone::Otp => block << 3 | word,
            Zone::Data(slot) => block << 8 | (slot.number() as u16) << 3 | word,
        }
    }
}

/// How much one Read fetches: bit 7 of the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadSize {
    /// 4 bytes.
    Word,
    /// 32 bytes; the word of the address must be 0.
    Block,
}

impl ReadSize {
    /// 4 or 32.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Word => 4,
            Self::Block => 32,
        }
    }
}

impl Command for Read {
    const NAME: &'static str = "Read";
    const OPCODE: u8 = 0x02;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 800, longest_ms: [5, 5, 5] };
    /// 4 or 32 bytes.
    type Output = Vec<u8, 32>;

    fn packet(&self) -> Packet {
        let mode = self.zone.mode() | if self.size == ReadSize::Block { 0x80 } else { 0x00 };
        Packet::new(Self::OPCODE, mode, self.address.encode(self.zone), &[], self.size.bytes() as u8)
    }

    fn output(&self, response: &Response) -> Result<Vec<u8, 32>, ResponseError> {
        let length = ResponseError::Length { expected: self.size.bytes(), received: response.data().len() };
        match response.status() {
            Some(status) if status != Status::Success => Err(ResponseError::Status(status)),
            None if response.data().len() == self.size.bytes() => {
                Vec::from_slice(response.data()).map_err(|_| length)
            }
            _ => Err(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_slot_takes_four_reads() {
        let zone = Zone::Data(Slot::new(10).unwrap());
        let reads: Vec<Read, 16> = zone.reads(0, 72);
        let params: Vec<(u8, u16), 16> =
            reads.iter().map(|read| (read.packet().param1(), read.packet().param2())).collect();
        assert_eq!(params[..], [(0x82, 0x0050), (0x82, 0x0150), (0x02, 0x0250), (0x02, 0x0251)]);
    }

    #[test]
    fn the_last_word_of_the_configuration_zone() {
        let reads: Vec<Read, 16> = Zone::Configuration.reads(124, 128);
        assert_eq!(reads[0].packet().as_bytes()[..5], [0x07, 0x02, 0x00, 0x1f, 0x00]);
    }
}
