//! Nonce (section 5.1.4).

use super::{Command, ExecutionTime, success};
use crate::{
    Digest, ResponseError,
    packet::{Packet, Response},
};

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
}

impl Command for NonceFixed<'_> {
    const NAME: &'static str = "Nonce";
    const OPCODE: u8 = 0x16;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 1_500, longest_ms: [20, 20, 20] };
    type Output = ();

    fn packet(&self) -> Packet {
        let mode = match self.target {
            NonceTarget::TempKey => 0x03,
            NonceTarget::MessageDigestBuffer => 0x43,
        };
        Packet::new(Self::OPCODE, mode, 0x0000, &[self.value], 1)
    }

    fn output(&self, response: &Response) -> Result<(), ResponseError> {
        success(response)
    }
}
