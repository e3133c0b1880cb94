//! MAC (section 5.3.5). Longest times: 55 ms at every clock divider.

use super::{Command, ExecutionTime, NonceOrigin, data};
use crate::{
    ResponseError, Slot,
    packet::{Packet, Response},
};

/// MAC: SHA-256 over a key, a challenge and what identifies the chip (tables 5-93 to 5-98).
#[derive(Clone, Copy, Debug)]
pub struct Mac<'a> {
    /// The two halves of the message.
    pub input: MacInput<'a>,
    /// Whether the serial number is part of the message ("diversified", section 5.3.5.2).
    pub include_serial: bool,
}

/// The first 64 bytes of what MAC and CheckMac hash.
#[derive(Clone, Copy, Debug)]
pub enum MacInput<'a> {
    /// Mode 0x00: the key in a slot, then a challenge.
    KeyAndChallenge {
        /// The key.
        key: Slot,
        /// 32 bytes.
        challenge: &'a [u8; 32],
    },
    /// Mode 0x01 or 0x05: the key in a slot, then TempKey.
    KeyAndTempKey {
        /// The key.
        key: Slot,
        /// Where TempKey's value comes from.
        origin: NonceOrigin,
    },
    /// Mode 0x02 or 0x06: TempKey, then a challenge.
    TempKeyAndChallenge {
        /// Where TempKey's value comes from.
        origin: NonceOrigin,
        /// 32 bytes.
        challenge: &'a [u8; 32],
    },
}

impl<'a> MacInput<'a> {
    /// Bits 2:0 of the mode.
    pub(crate) const fn mode(&self) -> u8 {
        match self {
            Self::KeyAndChallenge { .. } => 0x00,
            Self::KeyAndTempKey { origin, .. } => 0x01 | origin.mode_bit(),
            Self::TempKeyAndChallenge { origin, .. } => 0x02 | origin.mode_bit(),
        }
    }

    /// The slot of the key; 0 if the key is TempKey.
    pub(crate) fn key_id(&self) -> u16 {
        match self {
            Self::KeyAndChallenge { key, .. } | Self::KeyAndTempKey { key, .. } => u16::from(key.number()),
            Self::TempKeyAndChallenge { .. } => 0x0000,
        }
    }

    /// The challenge, if there is one.
    pub(crate) const fn challenge(&self) -> Option<&'a [u8; 32]> {
        match *self {
            Self::KeyAndChallenge { challenge, .. } | Self::TempKeyAndChallenge { challenge, .. } => {
                Some(challenge)
            }
            Self::KeyAndTempKey { .. } => None,
        }
    }
}

impl Mac<'_> {
    /// The mode as it goes over the wire and into the hashed message.
    pub(crate) const fn mode(&self) -> u8 {
        self.input.mode() | if self.include_serial { 0x40 } else { 0x00 }
    }
}

impl Command for Mac<'_> {
    const NAME: &'static str = "MAC";
    const OPCODE: u8 = 0x08;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 5_000, longest_ms: [55, 55, 55] };
    /// The digest.
    type Output = [u8; 32];

    fn packet(&self) -> Packet {
        let challenge: &[u8] = match self.input.challenge() {
            Some(challenge) => challenge,
            None => &[],
        };
        Packet::new(Self::OPCODE, self.mode(), self.input.key_id(), &[challenge], 32)
    }

    fn output(&self, response: &Response) -> Result<[u8; 32], ResponseError> {
        data(response)
    }
}
