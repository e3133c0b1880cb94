//! What a lease was allowed for: what somebody agreed to at its beginning, and nothing else.

use atecc::{
    command::{Command, SignExternal},
    packet::Packet,
    transport::MAX_COMMANDS,
};
use heapless::Vec;

use super::{LoadedDigest, Memory};

/// Commands that were announced and allowed, each for once.
#[derive(Debug, Default)]
pub struct Promises(Vec<Promise, MAX_COMMANDS>);

#[derive(Debug)]
struct Promise {
    packet: Packet,
    /// What the chip signs, if the packet is a signature.
    digest: Option<LoadedDigest>,
}

impl Promises {
    /// One more, to a chip that holds `memory`. A lease names no more than there is room for.
    pub(super) fn add(&mut self, packet: &Packet, memory: &Memory) {
        let _ = self.0.push(Promise { packet: packet.clone(), digest: signed(packet, memory) });
    }

    /// Whether `packet`, to a chip that holds `memory`, was announced; it is not any more then. It has to be the same
    /// one: what was announced without data may have any, but a signature is of the digest that was announced, and of
    /// no known one if none was.
    pub fn take(&mut self, packet: &Packet, memory: &Memory) -> bool {
        let digest = signed(packet, memory);
        let found = self.0.iter().position(|promise| {
            let promised = &promise.packet;
            let is_same = (promised.opcode(), promised.param1(), promised.param2())
                == (packet.opcode(), packet.param1(), packet.param2());
            let has_data = promised.data().is_empty() || promised.data() == packet.data();
            is_same && has_data && promise.digest == digest
        });
        found.map(|index| self.0.remove(index)).is_some()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets them all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

fn signed(packet: &Packet, memory: &Memory) -> Option<LoadedDigest> {
    if packet.opcode() == SignExternal::OPCODE { memory.signed_by(packet.param1()) } else { None }
}
