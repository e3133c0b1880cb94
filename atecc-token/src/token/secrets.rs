//! Symmetric keys at work.

mod secret_file;

use atecc::{
    Configuration, Digest, Secret, Slot,
    command::{AesKey, AesKeyPosition, HmacKey},
    zone::{KeyType, WriteAccess},
};

use super::Token;
use crate::Error;

/// The AES keys of a slot, in their order.
const POSITIONS: [AesKeyPosition; 4] =
    [AesKeyPosition::First, AesKeyPosition::Second, AesKeyPosition::Third, AesKeyPosition::Fourth];
/// Bytes of an AES-128 key.
const AES_KEY: usize = 16;

impl Token {
    /// The HMAC-SHA256 of `message`, of any length up to some 4 KiB, with the first 32 bytes of `slot` as the key.
    ///
    /// # Errors
    /// When the chip does not answer, another one is there, the slot does not allow it, or the message is too long
    /// for one wake.
    pub fn hmac_sha256(&self, slot: Slot, message: &[u8]) -> Result<Digest, Error> {
        if !allows_hmac(&self.configuration_of(slot)?, slot) {
            return Err(Error::NoSecretKey { slot });
        }
        self.with_this_chip(|device| device.hmac(HmacKey::Slot(slot), message))
    }

    /// One block of AES-128-ECB, encrypted with the key in the bytes from 16 times `key_block` on.
    ///
    /// # Errors
    /// When the chip does not answer, another one is there, or the slot has no such key.
    pub fn aes_encrypt_block(&self, slot: Slot, key_block: u8, block: &[u8; 16]) -> Result<[u8; 16], Error> {
        let key = self.aes_key(slot, key_block)?;
        self.with_this_chip(|device| device.aes_encrypt(key, block))
    }

    /// One block of AES-128-ECB, decrypted.
    ///
    /// # Errors
    /// As [`aes_encrypt_block`](Self::aes_encrypt_block).
    pub fn aes_decrypt_block(&self, slot: Slot, key_block: u8, block: &[u8; 16]) -> Result<[u8; 16], Error> {
        let key = self.aes_key(slot, key_block)?;
        self.with_this_chip(|device| device.aes_decrypt(key, block))
    }

    /// The value of `slot`, if a rule names the file that has it.
    pub(super) fn secret_of(&self, slot: Slot) -> Result<Option<Secret<32>>, Error> {
        let of_slot = self.rules.iter().filter(|rule| rule.slot == slot);
        let Some(file) = of_slot.filter_map(|rule| rule.secret_file.as_ref()).next() else { return Ok(None) };
        match secret_file::read(file) {
            Ok(secret) => Ok(Some(secret)),
            Err(source) => Err(Error::SecretFile { slot, file: file.clone(), source }),
        }
    }

    fn aes_key(&self, slot: Slot, key_block: u8) -> Result<AesKey, Error> {
        let is_there = key_block < aes_keys(&self.configuration_of(slot)?, slot);
        let position = POSITIONS.get(usize::from(key_block)).filter(|_| is_there);
        let position = *position.ok_or(Error::NoSecretKey { slot })?;
        Ok(AesKey::Slot { slot, position })
    }
}

/// How many AES keys `slot` has room for (sections 5.3.1 and 2.2).
pub(super) fn aes_keys(configuration: &Configuration, slot: Slot) -> u8 {
    let key = configuration.key_properties(slot);
    if !configuration.is_aes_enabled() || key.private() || key.key_type() != KeyType::Aes {
        return 0;
    }
    POSITIONS.iter().zip((AES_KEY..=slot.size()).step_by(AES_KEY)).fold(0, |count, _| count + 1)
}

/// Whether `slot` may be the key of an HMAC (section 5.1.8.2): a secret, NoMac not set, and with no public key in
/// it.
pub(super) fn allows_hmac(configuration: &Configuration, slot: Slot) -> bool {
    let key = configuration.key_properties(slot);
    let rules = configuration.slot_rules(slot);
    !key.private() && key.key_type() != KeyType::P256 && rules.is_secret() && !rules.no_mac()
}

/// Whether `slot` is there for symmetric keys of the chip's user, who writes them: as slot 9 of Trust&GO TLS parts.
pub(super) fn is_users_secret(configuration: &Configuration, slot: Slot) -> bool {
    let (key, rules) = (configuration.key_properties(slot), configuration.slot_rules(slot));
    !key.private() && key.key_type() == KeyType::Aes && rules.write_config().writes() == WriteAccess::Clear
}
