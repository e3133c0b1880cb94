//! The configuration zone, block by block: what is read once is known.

use atecc::{
    Configuration, ResponseError, Responses, Slot, Transport,
    command::{Address, Command, Read, ReadSize, Zone},
    packet::Packet,
    zone::CONFIGURATION_ZONE,
};

use super::{Token, lock};
use crate::Error;

/// Bytes of a block.
const BLOCK: usize = 32;

/// The blocks of the zone: what decides about which question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// Serial number, revision, ChipMode, SlotConfig of slots 0 to 5.
    Start = 0,
    /// SlotConfig of slots 6 to 15, a part of the counters.
    Slots = 1,
    /// The rest of the counters, SecureBoot, the locks, ChipOptions.
    Chip = 2,
    /// KeyConfig.
    Keys = 3,
}

impl Block {
    /// All of them, in the order of the zone.
    pub(super) const ALL: [Self; 4] = [Self::Start, Self::Slots, Self::Chip, Self::Keys];

    /// Those that say what is in `slot` and who may use it.
    fn of(slot: Slot) -> &'static [Self] {
        if slot.number() < 6 { &[Self::Start, Self::Keys] } else { &[Self::Start, Self::Slots, Self::Keys] }
    }

    /// The command that reads it.
    pub(super) const fn read(self) -> Read {
        let address = Address { block: self as u8, word: 0 };
        Read { zone: Zone::Configuration, address, size: ReadSize::Block }
    }
}

/// What is known of the zone.
#[derive(Clone, Debug)]
pub(super) struct KnownZone {
    bytes: [u8; CONFIGURATION_ZONE],
    known: [bool; 4],
}

impl KnownZone {
    /// The zone of which the first block is known.
    pub(super) fn new(start: &[u8; BLOCK]) -> Self {
        let mut zone = Self { bytes: [0; CONFIGURATION_ZONE], known: [false; 4] };
        zone.learn(Block::Start, start);
        zone
    }

    pub(super) fn learn(&mut self, block: Block, bytes: &[u8; BLOCK]) {
        let start = block as usize * BLOCK;
        self.bytes[start..start + BLOCK].copy_from_slice(bytes);
        self.known[block as usize] = true;
    }

    /// Learns what the answers to [`Block::read`] of `blocks` say.
    pub(super) fn learn_all(&mut self, blocks: &[Block], responses: &Responses) -> Result<(), Error> {
        for (index, &block) in blocks.iter().enumerate() {
            let answer = responses.get(index).ok_or(ResponseError::Missing);
            let bytes = answer.and_then(|response| block.read().output(response));
            let source = match bytes.as_ref().map(|bytes| bytes.as_slice().try_into()) {
                Ok(Ok(bytes)) => {
                    self.learn(block, bytes);
                    continue;
                }
                Ok(Err(_)) => ResponseError::Missing,
                Err(source) => *source,
            };
            return Err(atecc::Error::Response { command: Read::NAME, source }.into());
        }
        Ok(())
    }

    /// The whole zone, if it is known.
    pub(super) fn whole(&self) -> Option<[u8; CONFIGURATION_ZONE]> {
        self.missing(&Block::ALL).is_empty().then_some(self.bytes)
    }

    /// The whole zone, as it was once or has just been read.
    pub(super) const fn recall(&mut self, bytes: &[u8; CONFIGURATION_ZONE]) {
        self.bytes = *bytes;
        self.known = [true; 4];
    }

    /// The first block.
    pub(super) fn start(&self) -> &[u8] {
        &self.bytes[..BLOCK]
    }

    pub(super) fn missing(&self, wanted: &[Block]) -> Vec<Block> {
        wanted.iter().copied().filter(|&block| !self.known[block as usize]).collect()
    }

    /// The zone, with zeros where it is not known.
    pub(super) const fn configuration(&self) -> Configuration {
        Configuration::from_bytes(self.bytes)
    }
}

impl Token {
    /// The configuration zone, as it was when it was first read: what cannot change in a locked chip is right, the
    /// locks of slots and the counters may be old. [`read_configuration`](Self::read_configuration) asks the chip.
    ///
    /// # Errors
    /// When the chip has to be asked, and does not answer.
    pub fn configuration(&self) -> Result<Configuration, Error> {
        self.zone(&Block::ALL)
    }

    /// What the zone says of `slot`: its SlotConfig and KeyConfig.
    pub(super) fn configuration_of(&self, slot: Slot) -> Result<Configuration, Error> {
        self.zone(Block::of(slot))
    }

    /// The zone of which at least these blocks are known; reads those that are not.
    pub(super) fn zone(&self, wanted: &[Block]) -> Result<Configuration, Error> {
        self.recall();
        let missing = lock(&self.zone).missing(wanted);
        if !missing.is_empty() {
            let packets: Vec<Packet> = missing.iter().map(|block| block.read().packet()).collect();
            let mut responses = Responses::new();
            self.with_this_chip(|device| {
                device.transport_mut().transact(&packets, &mut responses).map_err(atecc::Error::Transport)
            })?;
            lock(&self.zone).learn_all(&missing, &responses)?;
        }
        Ok(lock(&self.zone).configuration())
    }
}
