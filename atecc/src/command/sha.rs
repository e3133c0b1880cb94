//! SHA (section 5.1.8). Longest times: 36, 42 and 75 ms at M0, M1 and M2.

use super::{Command, ExecutionTime, data, success};
use crate::{
    Digest, ResponseError, Slot,
    packet::{Packet, Response},
};

const OPCODE: u8 = 0x47;
const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 1_500, longest_ms: [36, 42, 75] };
/// KeyID of a key in TempKey (table 5-26).
const TEMP_KEY: u16 = 0xffff;

/// Bytes of a message that one SHA command takes: a block of SHA-256.
pub const SHA_BLOCK: usize = 64;

/// At most 64 bytes of a message.
#[derive(Clone, Copy, Debug)]
pub struct ShaChunk<'a>(&'a [u8]);

impl<'a> ShaChunk<'a> {
    /// The chunk, unless it is longer than 64 bytes.
    pub const fn new(message: &'a [u8]) -> Option<Self> {
        if message.len() <= SHA_BLOCK { Some(Self(message)) } else { None }
    }

    /// The first 64 bytes of a message, or all if it is shorter, and the rest.
    pub fn split(message: &'a [u8]) -> (Self, &'a [u8]) {
        let (chunk, rest) = message.split_at(message.len().min(SHA_BLOCK));
        (Self(chunk), rest)
    }
}

/// SHA, start mode (0x00): a new SHA-256 (section 5.1.8.1).
#[derive(Clone, Copy, Debug)]
pub struct ShaStart;

/// SHA, HMAC start mode (0x04): a new HMAC-SHA256 with a key in the chip (section 5.1.8.2).
#[derive(Clone, Copy, Debug)]
pub struct ShaHmacStart {
    /// The key.
    pub key: HmacKey,
}

/// Where the key of an HMAC lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HmacKey {
    /// In a slot: its first 32 bytes.
    Slot(Slot),
    /// In TempKey, which the same transaction has filled.
    TempKey,
}

/// SHA, update mode (0x01): a part of the message, 1 to 64 bytes.
#[derive(Clone, Copy, Debug)]
pub struct ShaUpdate<'a> {
    /// The part.
    pub chunk: ShaChunk<'a>,
}

/// SHA, public mode (0x03): the public key that a slot stores becomes the next 64 bytes of the message. The
/// data sheets of the pre-configured parts leave it out; the vendor's driver documents it.
#[derive(Clone, Copy, Debug)]
pub struct ShaPublic {
    /// A slot with a public key.
    pub key: Slot,
}

/// SHA, end mode (0x02, 0x42, 0xC2): the last part of the message, 0 to 64 bytes, and the digest.
#[derive(Clone, Copy, Debug)]
pub struct ShaEnd<'a> {
    /// The last part.
    pub chunk: ShaChunk<'a>,
    /// Where the digest goes beside the answer.
    pub target: ShaTarget,
}

/// Where SHA puts the digest beside the answer: bits 7:6 of the mode (table 5-24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShaTarget {
    /// 0x02: TempKey.
    TempKey,
    /// 0x42: the Message Digest Buffer.
    MessageDigestBuffer,
    /// 0xC2: nowhere.
    OutputOnly,
}

/// Bytes of the context of a message that ends with a whole block: the count and the state.
pub const SHA_CONTEXT: usize = 40;

/// SHA, context read mode (0x06), where the message so far is a multiple of 64 bytes (section 5.1.8.3).
#[derive(Clone, Copy, Debug)]
pub struct ShaReadContext;

/// SHA, context write mode (0x07): goes on with a message whose context was read before.
#[derive(Clone, Copy, Debug)]
pub struct ShaWriteContext<'a> {
    /// What [`ShaReadContext`] gave.
    pub context: &'a [u8; SHA_CONTEXT],
}

macro_rules! command {
    ($name:ty, $output:ty, |$self:ident| $packet:expr, $read:expr) => {
        impl Command for $name {
            const NAME: &'static str = "SHA";
            const OPCODE: u8 = OPCODE;
            const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
            type Output = $output;

            fn packet(&self) -> Packet {
                let $self = self;
                $packet
            }

            fn output(&self, response: &Response) -> Result<$output, ResponseError> {
                $read(response)
            }
        }
    };
}

command!(ShaStart, (), |_this| Packet::new(OPCODE, 0x00, 0x0000, &[], 1), success);
command!(ShaHmacStart, (), |this| Packet::new(OPCODE, 0x04, this.key.id(), &[], 1), success);
command!(
    ShaUpdate<'_>,
    (),
    |this| Packet::new(OPCODE, 0x01, this.chunk.0.len() as u16, &[this.chunk.0], 1),
    success
);
command!(ShaPublic, (), |this| Packet::new(OPCODE, 0x03, u16::from(this.key.number()), &[], 1), success);
command!(
    ShaEnd<'_>,
    Digest,
    |this| Packet::new(OPCODE, this.target.mode(), this.chunk.0.len() as u16, &[this.chunk.0], 32),
    data
);
command!(
    ShaReadContext,
    [u8; SHA_CONTEXT],
    |_this| Packet::new(OPCODE, 0x06, 0x0000, &[], SHA_CONTEXT as u8),
    data
);
command!(
    ShaWriteContext<'_>,
    (),
    |this| Packet::new(OPCODE, 0x07, SHA_CONTEXT as u16, &[this.context], 1),
    success
);

impl HmacKey {
    fn id(self) -> u16 {
        match self {
            Self::Slot(slot) => u16::from(slot.number()),
            Self::TempKey => TEMP_KEY,
        }
    }
}

impl ShaTarget {
    const fn mode(self) -> u8 {
        match self {
            Self::TempKey => 0x02,
            Self::MessageDigestBuffer => 0x42,
            Self::OutputOnly => 0xc2,
        }
    }
}
