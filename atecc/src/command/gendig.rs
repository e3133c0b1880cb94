//! GenDig (section 5.3.3). Longest times: 25, 35 and 35 ms at M0, M1 and M2.

use super::{Command, ExecutionTime, success};
use crate::{
    ResponseError, Slot,
    packet::{Packet, Response},
    zone::CounterId,
};

/// GenDig: replaces TempKey by a SHA-256 over something in the chip and TempKey, which must be valid.
#[derive(Clone, Copy, Debug)]
pub struct GenDig<'a> {
    /// What is mixed into TempKey.
    pub source: GenDigSource<'a>,
}

/// What GenDig mixes into TempKey.
#[derive(Clone, Copy, Debug)]
pub enum GenDigSource<'a> {
    /// Mode 0x00: a block of 32 bytes of the configuration zone, 0 to 3 (section 5.3.3.1).
    Configuration {
        /// Which block.
        block: u8,
    },
    /// Mode 0x01: a block of 32 bytes of the OTP zone, 0 or 1 (section 5.3.3.2).
    Otp {
        /// Which block.
        block: u8,
    },
    /// Mode 0x02: the first 32 bytes of a slot (section 5.3.3.3).
    ///
    /// The four bytes that the chip hashes for a slot with NoMac are sent along, with the same values that it
    /// takes for a slot without; so the caller needs not know which it is.
    Data(Slot),
    /// Mode 0x03: a nonce of another device (section 5.3.3.4).
    SharedNonce {
        /// 32 bytes.
        nonce: &'a [u8; 32],
        /// Whether TempKey is hashed first and the nonce last (KeyID 0x80xx), as the other device does not.
        temp_key_first: bool,
    },
    /// Mode 0x04: the value of a monotonic counter (section 5.3.3.5).
    Counter(CounterId),
    /// Mode 0x05: the access rules of a slot (section 5.3.3.6).
    KeyConfig(Slot),
}

impl GenDigSource<'_> {
    /// The mode, and KeyID.
    fn parameters(&self) -> (u8, u16) {
        match *self {
            Self::Configuration { block } => (0x00, u16::from(block)),
            Self::Otp { block } => (0x01, u16::from(block)),
            Self::Data(slot) => (0x02, u16::from(slot.number())),
            Self::SharedNonce { temp_key_first, .. } => (0x03, if temp_key_first { 0x8000 } else { 0x0000 }),
            Self::Counter(counter) => (0x04, counter as u16),
            Self::KeyConfig(slot) => (0x05, u16::from(slot.number())),
        }
    }
}

impl Command for GenDig<'_> {
    const NAME: &'static str = "GenDig";
    const OPCODE: u8 = 0x15;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 5_000, longest_ms: [25, 35, 35] };
    type Output = ();

    fn packet(&self) -> Packet {
        let (mode, key_id) = self.source.parameters();
        let [low, high] = key_id.to_le_bytes();
        let header = [Self::OPCODE, mode, low, high];
        let data: &[u8] = match &self.source {
            GenDigSource::Data(_) => &header,
            GenDigSource::SharedNonce { nonce, .. } => *nonce,
            _ => &[],
        };
        Packet::new(Self::OPCODE, mode, key_id, &[data], 1)
    }

    fn output(&self, response: &Response) -> Result<(), ResponseError> {
        success(response)
    }
}
