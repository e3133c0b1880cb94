//! What changes the chip, and its self tests.

use atecc::{
    PublicKey, Slot,
    command::SelfTests,
    irreversible::{Irreversible, LocksSlot, OverwritesKey},
    profile::TngTls,
};

use super::Token;
use crate::Error;

impl Token {
    /// Makes a new private key in `slot` and gives its public key. The old one is gone.
    ///
    /// # Errors
    /// When the chip does not answer, or the slot takes no new key; slot 0 never does. After a lost answer the key
    /// may be new nevertheless: ask for its public key.
    pub fn generate_key(&self, slot: Slot, consent: Irreversible<OverwritesKey>) -> Result<PublicKey, Error> {
        // What is known of it is kept for as long as the token is open.
        if slot == TngTls::PRIMARY_KEY {
            return Err(Error::PermanentKey { slot });
        }
        Ok(self.device().generate_key(slot, consent)?)
    }

    /// Locks `slot` with what is in it.
    ///
    /// # Errors
    /// When the chip does not answer, or the slot cannot be locked or is locked already.
    pub fn lock_slot(&self, slot: Slot, consent: Irreversible<LocksSlot>) -> Result<(), Error> {
        Ok(self.device().lock_slot(slot, consent)?)
    }

    /// Lets the chip run self tests, and gives those that failed.
    ///
    /// # Errors
    /// When the chip does not answer or refuses.
    pub fn self_test(&self, tests: SelfTests) -> Result<SelfTests, Error> {
        Ok(self.device().self_test(tests)?)
    }
}
