//! Info (section 5.1.2). Longest times: 5 ms at every clock divider.

use super::{Command, ExecutionTime, data};
use crate::{
    ResponseError, Slot,
    packet::{Packet, Response},
    zone::Revision,
};

const OPCODE: u8 = 0x30;
const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 500, longest_ms: [5, 5, 5] };

/// Info in Revision mode (0x00): the silicon revision, four bytes (section 5.1.2.1).
#[derive(Clone, Copy, Debug)]
pub struct InfoRevision;

/// Info in KeyValid mode (0x01): whether a slot holds a valid key of the curve (section 5.1.2.2).
///
/// It says nothing of value for other key types, and for keys whose public key stays in the chip.
#[derive(Clone, Copy, Debug)]
pub struct InfoKeyValid {
    /// The slot.
    pub key: Slot,
}

/// Info in State mode (0x02): the flags of the volatile memory (section 5.1.2.3).
#[derive(Clone, Copy, Debug)]
pub struct InfoState;

/// Info in persistent-latch mode (0x04), reading (TFLXTLS, DS40002138A, section 5.1.2.5).
#[derive(Clone, Copy, Debug)]
pub struct InfoLatch;

/// The flags of the volatile memory (table 5-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceState(u16);

impl DeviceState {
    /// The state with these two bytes of Info's answer: byte 0 is the low one.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// TempKey.Valid.
    pub const fn temp_key_valid(self) -> bool {
        self.bit(15)
    }

    /// TempKey.NoMacFlag: made from a slot with NoMac, so MAC may not use it.
    pub const fn temp_key_no_mac(self) -> bool {
        self.bit(7)
    }

    /// TempKey.GenKeyData: made by GenKey.
    pub const fn temp_key_from_genkey(self) -> bool {
        self.bit(6)
    }

    /// TempKey.GenDigData: made by GenDig from a slot.
    pub const fn temp_key_from_gendig(self) -> bool {
        self.bit(5)
    }

    /// TempKey.SourceFlag, as the chip gives it. Table 3-1 calls 1 a fixed input; table 5-10 says the reverse.
    pub const fn temp_key_source(self) -> bool {
        self.bit(4)
    }

    /// TempKey.KeyID: the slot that GenDig or GenKey used.
    pub const fn temp_key_slot(self) -> u8 {
        (self.0 & 0x0f) as u8
    }

    /// The slot that an authorization was made with, if there is a valid one (AuthComplete).
    pub const fn authorized_slot(self) -> Option<u8> {
        if self.bit(10) { Some((self.0 >> 11 & 0x0f) as u8) } else { None }
    }

    const fn bit(self, bit: u8) -> bool {
        self.0 >> bit & 1 == 1
    }
}

impl Command for InfoRevision {
    const NAME: &'static str = "Info";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = Revision;

    fn packet(&self) -> Packet {
        Packet::new(Self::OPCODE, 0x00, 0x0000, &[], 4)
    }

    fn output(&self, response: &Response) -> Result<Revision, ResponseError> {
        data(response).map(Revision)
    }
}

impl Command for InfoKeyValid {
    const NAME: &'static str = "Info";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = bool;

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, 0x01, u16::from(self.key.number()), &[], 4)
    }

    fn output(&self, response: &Response) -> Result<bool, ResponseError> {
        flag(response)
    }
}

impl Command for InfoState {
    const NAME: &'static str = "Info";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = DeviceState;

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, 0x02, 0x0000, &[], 4)
    }

    fn output(&self, response: &Response) -> Result<DeviceState, ResponseError> {
        // Table 5-9 writes the answer as 00 00 Byte[1] Byte[0]; the vendor's driver reads Byte[0] first.
        data(response).map(|[byte_0, byte_1, _, _]| DeviceState(u16::from_le_bytes([byte_0, byte_1])))
    }
}

impl Command for InfoLatch {
    const NAME: &'static str = "Info";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    /// Whether the latch is set.
    type Output = bool;

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, 0x04, 0x0000, &[], 4)
    }

    fn output(&self, response: &Response) -> Result<bool, ResponseError> {
        flag(response)
    }
}

/// An answer of zeros with a one or a zero at one end. The tables show it at the end and call values
/// big-endian (section 5); the vendor's driver looks at the first byte.
fn flag(response: &Response) -> Result<bool, ResponseError> {
    data(response).map(|answer: [u8; 4]| answer != [0; 4])
}
