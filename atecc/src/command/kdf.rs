//! KDF (section 5.3.4). Longest times: 165 ms at every clock divider.

use super::{Command, ExecutionTime, data, success};
use crate::{
    ResponseError, Secret, Slot,
    host::output::Protected,
    irreversible::{Irreversible, OverwritesKey},
    packet::{Packet, Response},
};

/// KDF: derives a key from a key in the chip and a message.
#[derive(Debug)]
pub struct Kdf<'a> {
    /// Which function, with its message.
    pub function: KdfFunction<'a>,
    /// The key.
    pub source: KdfSource,
    /// Where the result goes.
    pub target: KdfTarget,
}

/// The functions: bits 6:5 of the mode.
#[derive(Clone, Copy, Debug)]
pub enum KdfFunction<'a> {
    /// 0x00: the PRF of TLS 1.2 (section 5.3.4.1, table 5-85).
    Prf {
        /// Label and seed.
        message: KdfMessage<'a>,
        /// Bytes of the key.
        key_length: PrfKeyLength,
        /// Bytes of the result.
        length: PrfLength,
    },
    /// 0x20: AES-ECB over one block; the result is 16 bytes and 16 zeros (section 5.3.4.2).
    Aes {
        /// The block.
        block: &'a [u8; 16],
        /// Which 16 bytes of the source are the key, 0 to 3 (table 5-88).
        key_position: u8,
    },
    /// 0x40: one iteration of HMAC-SHA256, the step of HKDF (section 5.3.4.3, table 5-91).
    Hkdf {
        /// The message.
        message: HkdfMessage<'a>,
        /// Whether the key is 32 zeros instead of the source.
        zero_key: bool,
    },
}

/// A message that fits into the command: at most 127 bytes.
#[derive(Clone, Copy, Debug)]
pub struct KdfMessage<'a>(&'a [u8]);

impl<'a> KdfMessage<'a> {
    /// The message, unless it is longer than 127 bytes.
    pub const fn new(message: &'a [u8]) -> Option<Self> {
        if message.len() <= 127 { Some(Self(message)) } else { None }
    }
}

/// Where HKDF's message is: bits 1:0 and 11:8 of the details.
#[derive(Clone, Copy, Debug)]
pub enum HkdfMessage<'a> {
    /// In a slot.
    Slot(Slot),
    /// In TempKey. It must not be source and target at the same time (section 5.3.4.3, caution 1).
    TempKey,
    /// In the command; empty means 32 zeros.
    Input(KdfMessage<'a>),
}

/// Length of the source key of the PRF: bits 1:0 of the details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrfKeyLength {
    /// 16 bytes.
    Bytes16,
    /// 32 bytes.
    Bytes32,
    /// 48 bytes.
    Bytes48,
    /// 64 bytes.
    Bytes64,
}

/// Length of the result of the PRF: bits 10:8 of the details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrfLength {
    /// 32 bytes.
    Block,
    /// 64 bytes.
    TwoBlocks,
    /// 64 bytes: the first half goes to the target, which must be in the chip, the second comes out in clear
    /// text ("special AEAD processing").
    Aead,
}

/// Where the source key is: bits 1:0 of the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KdfSource {
    /// TempKey, which the same transaction has filled.
    TempKey,
    /// The upper half of TempKey.
    TempKeyUpper,
    /// A slot.
    Slot(Slot),
    /// The Alternate Key Buffer, which the same transaction has filled.
    AlternateKeyBuffer,
}

/// Where the result goes: bits 4:2 of the mode.
#[derive(Debug)]
pub enum KdfTarget {
    /// TempKey.
    TempKey,
    /// The upper half of TempKey.
    TempKeyUpper,
    /// A slot.
    Slot(Slot, Irreversible<OverwritesKey>),
    /// The Alternate Key Buffer.
    AlternateKeyBuffer,
    /// To the caller, in clear text.
    Output,
    /// To the caller, encrypted under the IO protection key (section 5.3.4.4).
    ProtectedOutput,
}

/// What KDF gives.
#[derive(Debug)]
pub enum KdfOutput {
    /// Nothing: the result stays in the chip.
    Kept,
    /// 32 bytes in clear text.
    Clear(Secret<32>),
    /// 64 bytes in clear text.
    ClearLong(Secret<64>),
    /// 32 bytes, to be opened with the IO protection key.
    Protected(Protected<32>),
    /// 64 bytes, to be opened with the IO protection key.
    ProtectedLong(Protected<64>),
}

impl Kdf<'_> {
    fn mode(&self) -> u8 {
        let function = match self.function {
            KdfFunction::Prf { .. } => 0x00,
            KdfFunction::Aes { .. } => 0x20,
            KdfFunction::Hkdf { .. } => 0x40,
        };
        let source = match self.source {
            KdfSource::TempKey => 0x00,
            KdfSource::TempKeyUpper => 0x01,
            KdfSource::Slot(_) => 0x02,
            KdfSource::AlternateKeyBuffer => 0x03,
        };
        let target = match self.target {
            KdfTarget::TempKey => 0x00,
            KdfTarget::TempKeyUpper => 0x04,
            KdfTarget::Slot(..) => 0x08,
            KdfTarget::AlternateKeyBuffer => 0x0c,
            KdfTarget::Output => 0x10,
            KdfTarget::ProtectedOutput => 0x14,
        };
        function | source | target
    }

    /// The source's slot in the low byte, the target's in the high one.
    fn key_id(&self) -> u16 {
        let source = if let KdfSource::Slot(slot) = self.source { slot.number() } else { 0 };
        let target = if let KdfTarget::Slot(slot, _) = self.target { slot.number() } else { 0 };
        u16::from_le_bytes([source, target])
    }

    /// The details, least significant byte first on the wire.
    fn details(&self) -> [u8; 4] {
        match self.function {
            KdfFunction::Prf { message, key_length, length } => {
                let length = match length {
                    PrfLength::Block => 0x00,
                    PrfLength::TwoBlocks => 0x01,
                    PrfLength::Aead => 0x03,
                };
                [key_length as u8, length, 0, message.0.len() as u8]
            }
            KdfFunction::Aes { key_position, .. } => [key_position & 0x03, 0, 0, 0],
            KdfFunction::Hkdf { message, zero_key } => {
                let zero_key = if zero_key { 0x04 } else { 0x00 };
                match message {
                    HkdfMessage::Slot(slot) => [zero_key, slot.number(), 0, 0],
                    HkdfMessage::TempKey => [zero_key | 0x01, 0, 0, 0],
                    HkdfMessage::Input(message) => [zero_key | 0x02, 0, 0, message.0.len() as u8],
                }
            }
        }
    }

    /// Bytes of the result that come out, and whether a nonce for their decryption follows.
    fn result(&self) -> (u8, bool) {
        let length = match self.function {
            KdfFunction::Prf { length: PrfLength::Aead, .. } => return (32, false),
            KdfFunction::Prf { length: PrfLength::TwoBlocks, .. } => 64,
            _ => 32,
        };
        match self.target {
            KdfTarget::Output => (length, false),
            KdfTarget::ProtectedOutput => (length, true),
            _ => (0, false),
        }
    }
}

impl Command for Kdf<'_> {
    const NAME: &'static str = "KDF";
    const OPCODE: u8 = 0x56;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 20_000, longest_ms: [165, 165, 165] };
    type Output = KdfOutput;

    fn packet(&self) -> Packet {
        let message: &[u8] = match &self.function {
            KdfFunction::Prf { message, .. } => message.0,
            KdfFunction::Aes { block, .. } => *block,
            KdfFunction::Hkdf { message: HkdfMessage::Input(message), .. } => message.0,
            KdfFunction::Hkdf { .. } => &[],
        };
        let response = match self.result() {
            (0, _) => 1,
            (length, false) => length,
            (length, true) => length + 32,
        };
        Packet::new(Self::OPCODE, self.mode(), self.key_id(), &[&self.details(), message], response)
    }

    fn output(&self, response: &Response) -> Result<KdfOutput, ResponseError> {
        match self.result() {
            (0, _) => success(response).map(|()| KdfOutput::Kept),
            (64, false) => data(response).map(|bytes| KdfOutput::ClearLong(Secret::from_bytes(bytes))),
            (_, false) => data(response).map(|bytes| KdfOutput::Clear(Secret::from_bytes(bytes))),
            (64, true) => Protected::from_response(response).map(KdfOutput::ProtectedLong),
            (_, true) => Protected::from_response(response).map(KdfOutput::Protected),
        }
    }
}
