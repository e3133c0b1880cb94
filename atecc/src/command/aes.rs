//! AES (section 5.3.1). Longest times: 27 ms at every clock divider.

use super::{Command, ExecutionTime, data};
use crate::{
    ResponseError, Slot,
    packet::{Packet, Response},
};

const OPCODE: u8 = 0x51;
const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 5_000, longest_ms: [27, 27, 27] };
/// KeyID of a key in TempKey (table 5-57).
const TEMP_KEY: u16 = 0xffff;

/// Where the 16 bytes of an AES-128 key lie (tables 5-57 and 5-59).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AesKey {
    /// In a slot of the AES key type.
    Slot {
        /// The slot.
        slot: Slot,
        /// Which 16 bytes of it.
        position: AesKeyPosition,
    },
    /// In the first 16 bytes of TempKey, which the same transaction has filled.
    TempKey,
}

/// Which 16 bytes of a slot are the key: bits 7:6 of the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AesKeyPosition {
    /// Bytes 0 to 15.
    First,
    /// Bytes 16 to 31.
    Second,
    /// Bytes 32 to 47.
    Third,
    /// Bytes 48 to 63.
    Fourth,
}

impl AesKey {
    /// Bits 7:6 of the mode, and KeyID.
    fn parameters(self) -> (u8, u16) {
        match self {
            Self::Slot { slot, position } => ((position as u8) << 6, u16::from(slot.number())),
            Self::TempKey => (0x00, TEMP_KEY),
        }
    }
}

/// AES in ECB encryption mode (0x00, section 5.3.1.1): one block of 16 bytes.
#[derive(Clone, Copy, Debug)]
pub struct AesEncrypt<'a> {
    /// The key.
    pub key: AesKey,
    /// The plain text.
    pub block: &'a [u8; 16],
}

/// AES in ECB decryption mode (0x01, section 5.3.1.2): one block of 16 bytes.
#[derive(Clone, Copy, Debug)]
pub struct AesDecrypt<'a> {
    /// The key.
    pub key: AesKey,
    /// The cipher text.
    pub block: &'a [u8; 16],
}

/// AES in Galois-field multiply mode (0x03, section 5.3.1.3), the core of GHASH. It uses no key.
#[derive(Clone, Copy, Debug)]
pub struct AesGfm<'a> {
    /// The hash subkey H.
    pub h: &'a [u8; 16],
    /// What H is multiplied with.
    pub input: &'a [u8; 16],
}

impl Command for AesEncrypt<'_> {
    const NAME: &'static str = "AES";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = [u8; 16];

    fn packet(&self) -> Packet {
        let (position, key_id) = self.key.parameters();
        Packet::new(OPCODE, position, key_id, &[self.block], 16)
    }

    fn output(&self, response: &Response) -> Result<[u8; 16], ResponseError> {
        data(response)
    }
}

impl Command for AesDecrypt<'_> {
    const NAME: &'static str = "AES";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = [u8; 16];

    fn packet(&self) -> Packet {
        let (position, key_id) = self.key.parameters();
        Packet::new(OPCODE, position | 0x01, key_id, &[self.block], 16)
    }

    fn output(&self, response: &Response) -> Result<[u8; 16], ResponseError> {
        data(response)
    }
}

impl Command for AesGfm<'_> {
    const NAME: &'static str = "AES";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = [u8; 16];

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, 0x03, 0x0000, &[self.h, self.input], 16)
    }

    fn output(&self, response: &Response) -> Result<[u8; 16], ResponseError> {
        data(response)
    }
}
