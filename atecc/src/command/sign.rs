//! Sign (section 5.2.3).

use super::{Command, ExecutionTime, data};
use crate::{
    ResponseError, Signature, Slot,
    packet::{Packet, Response},
};

/// Sign of an external message: ECDSA over a digest that Nonce has loaded before (section 5.2.3.2).
#[derive(Clone, Copy, Debug)]
pub struct SignExternal {
    /// A slot with a private key whose SlotConfig allows external signatures.
    pub key: Slot,
    /// Where the digest lies.
    pub source: DigestSource,
}

/// Where Sign and Verify find the digest (table 5-49).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestSource {
    /// The lower half of TempKey.
    TempKey,
    /// The first 32 bytes of the Message Digest Buffer.
    MessageDigestBuffer,
}

impl DigestSource {
    /// Bit 5 of the mode.
    pub(super) const fn mode_bit(self) -> u8 {
        match self {
            Self::TempKey => 0x00,
            Self::MessageDigestBuffer => 0x20,
        }
    }
}

impl Command for SignExternal {
    const NAME: &'static str = "Sign";
    const OPCODE: u8 = 0x41;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 60_000, longest_ms: [115, 220, 665] };
    type Output = Signature;

    fn packet(&self) -> Packet {
        let mode = 0x80 | self.source.mode_bit();
        Packet::new(Self::OPCODE, mode, u16::from(self.key.number()), &[], 64)
    }

    fn output(&self, response: &Response) -> Result<Signature, ResponseError> {
        data(response).map(Signature::from_bytes)
    }
}
