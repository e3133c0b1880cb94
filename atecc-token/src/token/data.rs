//! What the chip keeps for others.

use atecc::{
    Configuration, Slot,
    command::Zone,
    zone::{CounterId, KeyType, ReadAccess, WriteAccess},
};

use super::Token;
use crate::Error;

impl Token {
    /// What is in `slot`, as many bytes as it has: 36, 416 or 72.
    ///
    /// # Errors
    /// When the chip does not answer, another one is there, or the slot may not be read in clear text.
    pub fn read_data(&self, slot: Slot) -> Result<Vec<u8>, Error> {
        let mut data = vec![0; slot.size()];
        self.with_this_chip(|device| device.read(&[Zone::Data(slot)], &mut [&mut data]))?;
        Ok(data)
    }

    /// The value of a monotonic counter, 0 to 2,097,151.
    ///
    /// # Errors
    /// When the chip does not answer, or another one is there.
    pub fn counter(&self, counter: CounterId) -> Result<u32, Error> {
        self.with_this_chip(|device| device.counter(counter))
    }
}

/// Whether `slot` holds data that everybody may read and write, as slot 8 of Trust&GO TLS parts. Slots whose data
/// make certificates are not meant.
pub(super) fn is_open_data(configuration: &Configuration, slot: Slot) -> bool {
    let (key, rules) = (configuration.key_properties(slot), configuration.slot_rules(slot));
    let is_data = !key.private() && key.key_type() == KeyType::Data;
    is_data && rules.reads() == ReadAccess::Clear && rules.write_config().writes() == WriteAccess::Clear
}
