//! What the chip does for sessions.

use std::borrow::Cow;

use atecc::{Digest, PublicKey, Secret, Slot};
use cryptoki_sys::{CK_ATTRIBUTE_TYPE, CKA_SUBJECT};

use super::{Token, Wanted};
use crate::{
    error::Error,
    object::{Object, Place, Value},
};

/// Longest message of an HMAC: what the chip takes in one wake.
const LONGEST_HMAC: usize = 4096;

impl Token {
    /// R and S of a signature over `digest`.
    pub(crate) fn sign(&self, slot: Slot, digest: &Digest) -> Result<[u8; 64], Error> {
        self.told(self.device.sign(slot, digest)).map(|signature| *signature.as_bytes())
    }

    /// Fills `random` from the chip's generator.
    pub(crate) fn random(&self, random: &mut [u8]) -> Result<(), Error> {
        self.told(self.device.random(random))
    }

    /// The shared secret with `peer`. A point that is none of the curve is the caller's mistake.
    pub(crate) fn ecdh(&self, slot: Slot, peer: &PublicKey) -> Result<Secret<32>, Error> {
        let result = self.device.ecdh(slot, peer);
        let is_refused = result.as_ref().is_err_and(|error| error.chip_status().is_some());
        self.told(result).map_err(|error| if is_refused { Error::MechanismParamInvalid } else { error })
    }

    /// HMAC-SHA256 with a key of the chip.
    pub(crate) fn hmac(&self, slot: Slot, message: &[u8]) -> Result<Digest, Error> {
        if message.len() > LONGEST_HMAC {
            return Err(Error::DataLenRange);
        }
        self.told(self.device.hmac_sha256(slot, message))
    }

    /// A block, encrypted with an AES key of the chip.
    pub(crate) fn aes_encrypt(&self, slot: Slot, key_block: u8, block: &[u8; 16]) -> Result<[u8; 16], Error> {
        self.told(self.device.aes_encrypt_block(slot, key_block, block))
    }

    /// A block, decrypted with an AES key of the chip.
    pub(crate) fn aes_decrypt(&self, slot: Slot, key_block: u8, block: &[u8; 16]) -> Result<[u8; 16], Error> {
        self.told(self.device.aes_decrypt_block(slot, key_block, block))
    }

    /// The value of an attribute that is in the chip.
    pub(crate) fn read(&self, object: &Object, attribute: CK_ATTRIBUTE_TYPE) -> Result<Vec<u8>, Error> {
        match object.place() {
            Some(Place::Data(slot)) => self.told(self.device.read_data(slot)),
            // "The current value of the monotonic counter, as a big-endian number" (section 4.3.3).
            Some(Place::Counter(counter)) => {
                self.told(self.device.counter(counter)).map(|count| count.to_be_bytes().to_vec())
            }
            // The subject of a key's certificate, which was not read when the key was.
            None if attribute == CKA_SUBJECT => {
                let shown = self.shown(Wanted::All)?;
                let key = shown.by_unique_id(object.unique_id());
                let subject = key.as_deref().and_then(|key| match key.attribute(CKA_SUBJECT) {
                    Some(Value::Plain(subject)) => Some(Cow::from(subject)),
                    _ => None,
                });
                Ok(subject.unwrap_or_default().into_owned())
            }
            None => Err(Error::AttributeTypeInvalid),
        }
    }
}
