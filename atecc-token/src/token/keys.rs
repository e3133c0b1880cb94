//! Private keys at work: signatures, ECDH, new keys.

use atecc::{
    Configuration, Digest, PublicKey, Secret, Signature, Slot,
    irreversible::{Irreversible, OverwritesKey},
    profile::TngTls,
    zone::{OutputProtection, SlotConfig},
};

use super::{Token, identity::holds_private_key, lock};
use crate::Error;

impl Token {
    /// The public key of the private key in `slot`, which is read once.
    ///
    /// Another program may make a new key in slots 2 to 4. [`sign`](Self::sign) notices, and this call gives the new
    /// one from then on.
    ///
    /// # Errors
    /// When the chip does not answer, or the slot holds no key.
    pub fn public_key(&self, slot: Slot) -> Result<PublicKey, Error> {
        self.recall();
        if let Some(key) = lock(&self.public_keys).get(&slot) {
            return Ok(*key);
        }
        if slot == TngTls::PRIMARY_KEY {
            // Most often this has read its key.
            self.look_at_primary_key()?;
            if let Some(key) = lock(&self.public_keys).get(&slot) {
                return Ok(*key);
            }
        }
        let key = self.device().public_key(slot)?;
        lock(&self.public_keys).insert(slot, key);
        Ok(key)
    }

    /// Signs `digest`, 32 bytes, with the private key in `slot`, and verifies the signature.
    ///
    /// If it does not verify, the chip is asked who it is and which key it has. If the key is a new one, the
    /// signature is made again for that.
    ///
    /// # Errors
    /// When the chip does not answer or may not sign with this slot, another chip is there than the one that was
    /// opened, or the signature is wrong.
    pub fn sign(&self, slot: Slot, digest: &Digest) -> Result<Signature, Error> {
        let public_key = self.public_key(slot)?;
        match self.sign_as(&public_key, slot, digest) {
            Err(Error::WrongSignature { .. }) => match self.read_again(slot)? {
                same if same == public_key => Err(Error::WrongSignature { slot }),
                new => self.sign_as(&new, slot, digest),
            },
            result => result,
        }
    }

    fn sign_as(&self, public_key: &PublicKey, slot: Slot, digest: &Digest) -> Result<Signature, Error> {
        let mut device = self.device();
        let signature = device.sign(slot, digest)?;
        if !public_key.verify(digest, &signature) {
            return Err(Error::WrongSignature { slot });
        }
        device.transport_mut().count_signature();
        Ok(signature)
    }

    /// Asks the chip for the public key of `slot` again.
    fn read_again(&self, slot: Slot) -> Result<PublicKey, Error> {
        let key = self.with_this_chip(|device| device.public_key(slot))?;
        if lock(&self.public_keys).insert(slot, key) != Some(key) {
            tracing::warn!(%slot, "the key in this slot is a new one");
            if slot == self.primary_key()? {
                self.forget_identity();
            }
        }
        Ok(key)
    }

    /// The shared secret of the private key in `slot` and `peer`: the X coordinate, 32 bytes.
    ///
    /// It crosses the bus encrypted if a rule names the secret file of the IO protection key's slot, else in clear
    /// text. A file with another key than the chip's is not noticed: the secret is then not the peer's.
    ///
    /// # Errors
    /// When the chip does not answer, the slot does not allow ECDH, the result may not leave the chip, or only
    /// encrypted, and no rule names the key; or when `peer` is no point of the curve.
    pub fn ecdh(&self, slot: Slot, peer: &PublicKey) -> Result<Secret<32>, Error> {
        let configuration = self.configuration()?;
        let is_allowed =
            holds_private_key(&configuration, slot) && allows_ecdh(configuration.slot_rules(slot));
        let key = match configuration.chip_options().io_protection_key() {
            Some(slot) if is_allowed => self.secret_of(slot)?,
            _ => None,
        };
        match (configuration.chip_options().ecdh_protection(), key) {
            (OutputProtection::CallersChoice | OutputProtection::Encrypted, Some(key)) if is_allowed => {
                self.with_this_chip(|device| device.ecdh_protected(slot, peer, &key))
            }
            (OutputProtection::CallersChoice, None) if is_allowed => {
                self.with_this_chip(|device| device.ecdh(slot, peer))
            }
            _ => Err(Error::NoEcdh { slot }),
        }
    }

    /// Makes a new key pair in `slot` and gives the public key. The old private key is destroyed, so a rule of the
    /// configuration has to list the slot with `overwrite = true`.
    ///
    /// # Errors
    /// When no rule allows it, the chip's configuration does not, it does not answer, or another chip is there. The
    /// key then stays as it was; only after a lost answer it may be new nevertheless.
    pub fn generate_key_pair(&self, slot: Slot) -> Result<PublicKey, Error> {
        if slot == self.primary_key()? {
            return Err(Error::PermanentKey { slot });
        }
        if !self.may_overwrite(slot) {
            return Err(Error::NotListed { slot, serial_number: self.serial_number() });
        }
        let now = self.with_this_chip(|device| device.configuration())?;
        if !allows_genkey(&now, slot) {
            return Err(Error::NoGenKey { slot });
        }
        self.generate_key(slot, Irreversible::i_understand(OverwritesKey))
    }

    /// As [`generate_key_pair`](Self::generate_key_pair) for a caller who has asked its user, and needs no rule.
    ///
    /// # Errors
    /// When the chip does not answer, or the slot takes no new key; the primary one never does. After a lost answer
    /// the key may be new nevertheless: ask for its public key.
    pub fn generate_key(&self, slot: Slot, consent: Irreversible<OverwritesKey>) -> Result<PublicKey, Error> {
        if slot == self.primary_key()? {
            return Err(Error::PermanentKey { slot });
        }
        // Whatever comes of it, the old one is not known any more.
        lock(&self.public_keys).remove(&slot);
        let made = self.with_this_chip(|device| device.generate_key(slot, consent));
        let key = made.map_err(|error| self.explain_write(error))?;
        lock(&self.public_keys).insert(slot, key);
        Ok(key)
    }

    /// Whether a rule lists `slot` as free to generate over.
    pub(super) fn may_overwrite(&self, slot: Slot) -> bool {
        self.rules.iter().any(|rule| rule.slot == slot && rule.overwrite)
    }
}

/// Whether SlotConfig allows ECDH, and does not keep the result in the chip.
pub(super) const fn allows_ecdh(rules: SlotConfig) -> bool {
    let uses = rules.private_key_use();
    uses.allows_ecdh() && !uses.keeps_ecdh_result()
}

/// Whether the chip makes a new key in `slot`: WriteConfig, and the lock of the slot.
fn allows_genkey(configuration: &Configuration, slot: Slot) -> bool {
    holds_private_key(configuration, slot)
        && configuration.slot_rules(slot).write_config().allows_genkey()
        && !configuration.is_slot_locked(slot)
}
