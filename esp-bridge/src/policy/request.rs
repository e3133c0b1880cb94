//! What is asked, in facts that the firmware has from the packets themselves.

use core::fmt;

use atecc::{
    command::{
        self, Command, CounterRead, DeriveKey, Ecdh, GenKeyPublic, LockSlot, PrivWriteEncrypted,
        SignExternal, UpdateExtra, Write,
    },
    packet::Packet,
};

use super::{Act, LoadedDigest, Memory};

/// A transaction that somebody may have to allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Of its most serious command.
    pub opcode: u8,
    /// The slot that this command uses or changes.
    pub slot: Option<u8>,
    /// The digest that it signs, if that went through here.
    pub digest: Option<LoadedDigest>,
    /// How many commands of the transaction use or change something. One, as a rule.
    pub count: u8,
    /// Whether no command takes back what it does.
    pub for_ever: bool,
    /// Whether it changes the chip.
    pub changes: bool,
}

impl Request {
    /// The request of `packet`, which does `act`, to a chip that holds `memory`.
    pub(super) fn new(packet: &Packet, act: Act, memory: &Memory) -> Self {
        let (slot, for_ever, changes) = match act {
            Act::UsesKey { slot } => (Some(slot), false, false),
            Act::Changes { slot, for_ever } => (slot, for_ever, true),
            Act::Free | Act::NotThisKey { .. } | Act::NotOnTheList => (None, false, false),
        };
        let digest =
            if packet.opcode() == SignExternal::OPCODE { memory.signed_by(packet.param1()) } else { None };
        Self { opcode: packet.opcode(), slot, digest, count: 1, for_ever, changes }
    }

    /// This request and `other` in one transaction. It is described by the first one that cannot be taken back,
    /// or the first.
    pub(super) fn and(self, other: Self) -> Self {
        let count = self.count.saturating_add(other.count);
        let serious = if other.for_ever && !self.for_ever { other } else { self };
        Self { count, ..serious }
    }

    /// What it does, as a verb for a person.
    pub const fn verb(&self) -> &'static str {
        match self.opcode {
            SignExternal::OPCODE => "Sign",
            Ecdh::OPCODE => "ECDH",
            GenKeyPublic::OPCODE => "New key",
            Write::OPCODE => "Write",
            LockSlot::OPCODE => "Lock",
            CounterRead::OPCODE => "Count up",
            PrivWriteEncrypted::OPCODE => "Import key",
            DeriveKey::OPCODE => "Derive key",
            UpdateExtra::OPCODE => "Set byte",
            opcode => command::name(opcode),
        }
    }
}

impl fmt::Display for Request {
    /// "Sign, slot 0"; what comes with it is counted where it is asked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb())?;
        match self.slot {
            Some(slot) => write!(f, ", slot {slot}"),
            None => Ok(()),
        }
    }
}
