//! Sign (section 5.2.3). Longest times: 115, 220 and 665 ms at M0, M1 and M2.

use super::{Command, ExecutionTime, data};
use crate::{
    ResponseError, Signature, Slot,
    packet::{Packet, Response},
};

const OPCODE: u8 = 0x41;
/// A chip in the field takes about 60 ms (estimate); the first look comes a fifth earlier, since chips and
/// calls vary and a look costs a tenth of a millisecond.
const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 60_000, longest_ms: [115, 220, 665] };

/// Sign of an external message: ECDSA over a digest that Nonce has loaded before (section 5.2.3.2).
#[derive(Clone, Copy, Debug)]
pub struct SignExternal {
    /// A slot with a private key whose SlotConfig allows external signatures.
    pub key: Slot,
    /// Where the digest lies.
    pub source: DigestSource,
}

/// Sign of an internal message: ECDSA over what GenKey or GenDig has put into TempKey, with the rules of the
/// slot it came from (section 5.2.3.1). [`crate::host::attestation`] makes the digest that was signed.
#[derive(Clone, Copy, Debug)]
pub struct SignInternal {
    /// A slot with a private key whose SlotConfig allows internal signatures.
    pub key: Slot,
    /// Whether the serial number is part of the message.
    pub include_serial: bool,
    /// Whether the signature is meant for Verify in invalidate mode (bit 0).
    pub for_invalidation: bool,
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

impl SignInternal {
    /// The mode as it goes over the wire and into the signed message.
    pub(crate) const fn mode(&self) -> u8 {
        (if self.include_serial { 0x40 } else { 0x00 }) | if self.for_invalidation { 0x01 } else { 0x00 }
    }
}

impl Command for SignExternal {
    const NAME: &'static str = "Sign";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = Signature;

    fn packet(&self) -> Packet {
        let mode = 0x80 | self.source.mode_bit();
        Packet::new(Self::OPCODE, mode, u16::from(self.key.number()), &[], 64)
    }

    fn output(&self, response: &Response) -> Result<Signature, ResponseError> {
        data(response).map(Signature::from_bytes)
    }
}

impl Command for SignInternal {
    const NAME: &'static str = "Sign";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = Signature;

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, self.mode(), u16::from(self.key.number()), &[], 64)
    }

    fn output(&self, response: &Response) -> Result<Signature, ResponseError> {
        data(response).map(Signature::from_bytes)
    }
}
