//! Nonce (section 5.1.4). Longest times: 20 ms at every clock divider.

use super::{Command, ExecutionTime, data, success};
use crate::{
    Digest, ResponseError,
    packet::{Packet, Response},
};

const OPCODE: u8 = 0x16;
/// The longest times are those of all modes.
const LONGEST_MS: [u16; 3] = [20, 20, 20];

/// Nonce in fixed mode: 32 bytes, as they are, into one of the chip's buffers (section 5.1.4.2).
#[derive(Clone, Copy, Debug)]
pub struct NonceFixed<'a> {
    /// The buffer that receives the value.
    pub target: NonceTarget,
    /// 32 bytes; for Sign and Verify the digest of the message.
    pub value: &'a Digest,
}

/// Where Nonce puts its value (bits 7:6 of the mode, table 5-16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceTarget {
    /// 0x03: TempKey.
    TempKey,
    /// 0x43: the Message Digest Buffer.
    MessageDigestBuffer,
    /// 0x83: the Alternate Key Buffer, a source of KDF (section 3.3).
    AlternateKeyBuffer,
}

/// Nonce in fixed mode with 64 bytes (section 5.1.4.2).
#[derive(Clone, Copy, Debug)]
pub struct NonceFixed64<'a> {
    /// The buffer that receives the value.
    pub target: NonceTarget64,
    /// 64 bytes; for Verify with a MAC the digest of the message, then the caller's nonce.
    pub value: &'a [u8; 64],
}

/// Where Nonce puts 64 bytes (table 5-16). The Alternate Key Buffer holds 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceTarget64 {
    /// 0x23: TempKey.
    TempKey,
    /// 0x63: the Message Digest Buffer.
    MessageDigestBuffer,
}

/// Nonce in random mode (0x00): TempKey becomes the SHA-256 of a random number and the caller's input
/// (section 5.1.4.1). Renews the generator's seed, as Random does.
#[derive(Clone, Copy, Debug)]
pub struct NonceRandom<'a> {
    /// 20 bytes of the caller's own randomness, against replays of an earlier conversation.
    pub input: &'a [u8; 20],
}

/// Where the value of TempKey comes from, as TempKey.SourceFlag remembers it (table 3-1). MAC, CheckMac and
/// DeriveKey say which they expect in bit 2 of their mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceOrigin {
    /// The chip's generator had a part in it: Nonce in random mode.
    Random,
    /// The caller's bytes alone: Nonce in fixed mode.
    Fixed,
}

impl NonceOrigin {
    /// Bit 2 of the mode.
    pub(crate) const fn mode_bit(self) -> u8 {
        match self {
            Self::Random => 0x00,
            Self::Fixed => 0x04,
        }
    }
}

impl Command for NonceFixed<'_> {
    const NAME: &'static str = "Nonce";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 1_500, longest_ms: LONGEST_MS };
    type Output = ();

    fn packet(&self) -> Packet {
        let mode = match self.target {
            NonceTarget::TempKey => 0x03,
            NonceTarget::MessageDigestBuffer => 0x43,
            NonceTarget::AlternateKeyBuffer => 0x83,
        };
        Packet::new(Self::OPCODE, mode, 0x0000, &[self.value], 1)
    }

    fn output(&self, response: &Response) -> Result<(), ResponseError> {
        success(response)
    }
}

impl Command for NonceFixed64<'_> {
    const NAME: &'static str = "Nonce";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 1_500, longest_ms: LONGEST_MS };
    type Output = ();

    fn packet(&self) -> Packet {
        let mode = match self.target {
            NonceTarget64::TempKey => 0x23,
            NonceTarget64::MessageDigestBuffer => 0x63,
        };
        Packet::new(OPCODE, mode, 0x0000, &[self.value], 1)
    }

    fn output(&self, response: &Response) -> Result<(), ResponseError> {
        success(response)
    }
}

impl Command for NonceRandom<'_> {
    const NAME: &'static str = "Nonce";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 13_000, longest_ms: LONGEST_MS };
    /// The random number; [`crate::host::nonce::random`] makes TempKey of it.
    type Output = [u8; 32];

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, 0x00, 0x0000, &[self.input], 32)
    }

    fn output(&self, response: &Response) -> Result<[u8; 32], ResponseError> {
        data(response)
    }
}
