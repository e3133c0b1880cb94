//! The digests that the chip holds, as far as they went through here.

use core::fmt;

use atecc::{
    command::{Command, NonceFixed, Read},
    packet::Packet,
};

/// A digest that the chip holds. All of it is compared; its first eight bytes are shown: enough to compare with what a
/// program shows, short enough to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LoadedDigest([u8; 32]);

impl LoadedDigest {
    /// The digest at the beginning of what Nonce loads; none if that is shorter, which the chip refuses.
    pub fn of(data: &[u8]) -> Option<Self> {
        data.first_chunk().copied().map(Self)
    }
}

impl fmt::Display for LoadedDigest {
    /// The beginning, in four groups of four digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pair) in self.0.chunks_exact(2).take(4).enumerate() {
            let separator = if index == 0 { "" } else { " " };
            write!(f, "{separator}{:02x}{:02x}", pair[0], pair[1])?;
        }
        Ok(())
    }
}

impl fmt::Debug for LoadedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoadedDigest({self})")
    }
}

/// What is known of TempKey and of the Message Digest Buffer. Sleep empties both, and so it does here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    temp_key: Option<LoadedDigest>,
    message_digest_buffer: Option<LoadedDigest>,
}

impl Memory {
    /// The memory of a chip that has just woken.
    pub const EMPTY: Self = Self { temp_key: None, message_digest_buffer: None };

    /// Goes on to the memory after `packet`.
    ///
    /// Only Nonce in fixed mode puts there what the host can know beforehand. After any other command but Read,
    /// which leaves it alone, nothing is known: a digest that is not shown is better than a wrong one.
    pub fn follow(&mut self, packet: &Packet) {
        match (packet.opcode(), packet.param1()) {
            (NonceFixed::OPCODE, 0x03 | 0x23) => self.temp_key = LoadedDigest::of(packet.data()),
            (NonceFixed::OPCODE, 0x43 | 0x63) => self.message_digest_buffer = LoadedDigest::of(packet.data()),
            (Read::OPCODE, _) => {}
            _ => *self = Self::EMPTY,
        }
    }

    /// The digest that an external Sign with this mode would sign (bit 5: from the Message Digest Buffer).
    pub const fn signed_by(&self, mode: u8) -> Option<LoadedDigest> {
        match mode {
            0x80 => self.temp_key,
            0xa0 => self.message_digest_buffer,
            _ => None,
        }
    }
}
