//! What a host may ask of the chip.
//!
//! The rules are an allow-list over opcode, mode and slot, applied to the packet that will go to the chip, after
//! whatever protocol it came by has been decoded. What is not on the list is refused. What changes the chip is
//! refused until somebody has unlocked it at the device itself.

mod act;
mod keys;
mod memory;
mod promise;
mod request;
#[cfg(test)]
mod tests;

use core::fmt;

use atecc::packet::Packet;

pub use act::{Act, act};
pub use keys::{KeySlots, SlotSet};
pub use memory::{LoadedDigest, Memory};
pub use promise::Promises;
pub use request::Request;

/// The rules for one chip.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy {
    keys: KeySlots,
}

/// What becomes of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It reads, or makes nothing that lasts.
    Free,
    /// It uses a key that never leaves the chip: the touch policy decides.
    UsesKey(Request),
    /// It changes the chip, which is unlocked: it is asked for, whatever the touch policy says.
    Changes(Request),
    /// No.
    Refused(Refusal),
}

/// Why a request was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No opcode and mode of this kind is on the list.
    NotOnTheList {
        /// The first byte of the packet.
        opcode: u8,
        /// The second.
        mode: u8,
    },
    /// The chip's configuration does not give this slot for this use.
    NotThisKey {
        /// Param2 of the packet.
        slot: u16,
    },
    /// It would change the chip, and nobody has unlocked that at the device.
    Locked(Request),
    /// Whoever is at the device said no.
    Denied,
    /// Nobody answered in time.
    TimedOut,
    /// The host took its question back.
    Cancelled,
    /// Another question is on the screen.
    Busy,
    /// It needs a touch in the middle of a lease, while the chip is awake and cannot wait.
    TooLateToAsk,
    /// The chip has not answered yet, so its rules are not known.
    NoChip,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOnTheList { opcode, mode } => {
                write!(f, "Command {opcode:02X}, mode {mode:02X}: no")
            }
            Self::NotThisKey { slot } => write!(f, "Slot {slot} is not for this use"),
            Self::Locked(request) => write!(f, "{request} changes the chip"),
            Self::Denied => f.write_str("Refused at the device"),
            Self::TimedOut => f.write_str("Nobody touched in time"),
            Self::Cancelled => f.write_str("The host took it back"),
            Self::Busy => f.write_str("Another question is open"),
            Self::TooLateToAsk => f.write_str("A touch was needed too late"),
            Self::NoChip => f.write_str("The chip does not answer"),
        }
    }
}

impl Policy {
    /// The rules for a chip whose keys are `keys`.
    pub const fn new(keys: KeySlots) -> Self {
        Self { keys }
    }

    /// Those of `packets` that use or change something, to a chip that holds `memory`.
    pub fn promises(&self, packets: &[Packet], memory: &Memory) -> Promises {
        let mut memory = *memory;
        let mut promises = Promises::default();
        for packet in packets {
            let kind = act(packet, &self.keys);
            if matches!(kind, Act::UsesKey { .. } | Act::Changes { .. }) {
                promises.add(packet, &memory);
            }
            memory.follow(packet);
        }
        promises
    }

    /// Judges the packets of one transaction together: its most serious command decides.
    ///
    /// `memory` is what earlier packets left in the chip since it woke; the packets here are followed on a copy.
    /// `unlocked` says that somebody has unlocked changes at the device.
    pub fn judge(&self, packets: &[Packet], memory: &Memory, unlocked: bool) -> Verdict {
        let mut memory = *memory;
        let mut uses: Option<Request> = None;
        let mut changes: Option<Request> = None;
        for packet in packets {
            let kind = act(packet, &self.keys);
            let found = match kind {
                Act::Free => None,
                Act::UsesKey { .. } => Some(&mut uses),
                Act::Changes { .. } => Some(&mut changes),
                Act::NotThisKey { slot } => return Verdict::Refused(Refusal::NotThisKey { slot }),
                Act::NotOnTheList => {
                    return Verdict::Refused(Refusal::NotOnTheList {
                        opcode: packet.opcode(),
                        mode: packet.param1(),
                    });
                }
            };
            if let Some(found) = found {
                let request = Request::new(packet, kind, &memory);
                *found = Some(found.map_or(request, |first| first.and(request)));
            }
            memory.follow(packet);
        }
        match (changes, uses) {
            (Some(request), _) if !unlocked => Verdict::Refused(Refusal::Locked(request)),
            (Some(request), uses) => Verdict::Changes(uses.map_or(request, |use_too| request.and(use_too))),
            (None, Some(request)) => Verdict::UsesKey(request),
            (None, None) => Verdict::Free,
        }
    }
}
