//! What fixes the state of the chip, and its self tests.

use atecc::{
    Slot,
    command::SelfTests,
    irreversible::{Irreversible, LocksSlot},
};

use super::Token;
use crate::Error;

impl Token {
    /// Locks `slot` with what is in it.
    ///
    /// # Errors
    /// When the chip does not answer, another one is there, or the slot cannot be locked or is locked already.
    pub fn lock_slot(&self, slot: Slot, consent: Irreversible<LocksSlot>) -> Result<(), Error> {
        let locked = self.with_this_chip(|device| device.lock_slot(slot, consent));
        locked.map_err(|error| self.explain_write(error))
    }

    /// Lets the chip run self tests, and gives those that failed.
    ///
    /// # Errors
    /// When the chip does not answer or refuses.
    pub fn self_test(&self, tests: SelfTests) -> Result<SelfTests, Error> {
        Ok(self.device().self_test(tests)?)
    }
}
