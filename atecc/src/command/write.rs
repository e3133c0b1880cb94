//! Write (section 5.1.10). Longest times: 45 ms at every clock divider.

use super::{Address, Command, ExecutionTime, Zone, success};
use crate::{
    ResponseError, Slot,
    irreversible::{Irreversible, OverwritesData},
    packet::{Packet, Response},
};

const OPCODE: u8 = 0x12;
const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 15_000, longest_ms: [45, 45, 45] };
/// Bit 7 of the mode: 32 bytes.
const BLOCK: u8 = 0x80;

/// Write in clear text: 4 or 32 bytes (section 5.1.10.1).
///
/// The consent is borrowed, for it is given to the whole of what is written, block by block.
#[derive(Debug)]
pub struct Write<'a> {
    /// What is written to.
    pub zone: Zone,
    /// Where.
    pub address: Address,
    /// The bytes.
    pub data: WriteData<'a>,
    /// Consent.
    pub consent: &'a Irreversible<OverwritesData>,
}

/// Bit of the mode: the data is encrypted.
const ENCRYPTED: u8 = 0x40;

/// What one Write carries.
#[derive(Clone, Copy, Debug)]
pub enum WriteData<'a> {
    /// 4 bytes.
    Word(&'a [u8; 4]),
    /// 32 bytes; the word of the address must be 0. What lies behind the end of a slot is ignored.
    Block(&'a [u8; 32]),
}

/// Write of 32 encrypted bytes with a MAC into a slot (TFLXTLS, DS40002138A, section 5.1.10.2). TempKey is the
/// result of GenDig with the slot's write key.
#[derive(Debug)]
pub struct WriteEncrypted<'a> {
    /// The slot.
    pub slot: Slot,
    /// Which 32 bytes of it.
    pub block: u8,
    /// The bytes, encrypted: see [`crate::host::write::block`].
    pub data: &'a [u8; 32],
    /// Proof that the caller knows the write key.
    pub mac: &'a [u8; 32],
    /// Consent.
    pub consent: &'a Irreversible<OverwritesData>,
}

impl WriteEncrypted<'_> {
    /// The mode as it goes over the wire and into the MAC. Of bit 6, which says that the data is encrypted, the data
    /// sheet's table 5-40 is silent; Microchip's library sets it for every chip, so that is what is known to work.
    pub(crate) const MODE: u8 = BLOCK | ENCRYPTED | 0x02;

    /// Param2 of a write to `block` of `slot`, which goes into the MAC too.
    pub(crate) const fn address(slot: Slot, block: u8) -> u16 {
        Address { block, word: 0 }.encode(Zone::Data(slot))
    }
}

impl Command for Write<'_> {
    const NAME: &'static str = "Write";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = ();

    fn packet(&self) -> Packet {
        let (mode, data): (u8, &[u8]) = match self.data {
            WriteData::Word(word) => (0x00, word),
            WriteData::Block(block) => (BLOCK, block),
        };
        Packet::new(OPCODE, mode | self.zone.mode(), self.address.encode(self.zone), &[data], 1)
    }

    fn output(&self, response: &Response) -> Result<(), ResponseError> {
        success(response)
    }
}

impl Command for WriteEncrypted<'_> {
    const NAME: &'static str = "Write";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = ();

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, Self::MODE, Self::address(self.slot, self.block), &[self.data, self.mac], 1)
    }

    fn output(&self, response: &Response) -> Result<(), ResponseError> {
        success(response)
    }
}
