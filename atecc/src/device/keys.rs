//! Private and stored public keys: making, using and attesting them.

use crate::{
    Configuration, Device, Digest, Error, PublicKey, Secret, Signature, Slot, Transport,
    command::{
        Command, DigestSource, Ecdh, EcdhKey, EcdhProtected, EcdhToTempKey, GenKeyPrivate,
        GenKeyPublicDigest, GenKeyStoredDigest, InfoKeyValid, Kdf, KdfOutput, NonceFixed, NonceFixed64,
        NonceOrigin, NonceRandom, NonceTarget, NonceTarget64, Random, SignInternal, VerifyKey, VerifyStored,
        VerifyValidity, VerifyWithMac,
    },
    host,
    irreversible::{Irreversible, OverwritesKey},
};

/// A statement of the chip about one of its keys, signed with another.
#[derive(Clone, Debug)]
pub struct Attestation {
    /// The key that it is about.
    pub public_key: PublicKey,
    /// The digest of the message: the key, its slot, the rules of that slot, the serial number.
    pub message_digest: Digest,
    /// The signature over it.
    pub signature: Signature,
}

impl Attestation {
    /// Whether it was signed with `attester`, the key of the chip's attesting slot.
    pub fn verify(&self, attester: &PublicKey) -> bool {
        attester.verify(&self.message_digest, &self.signature)
    }
}

impl<T: Transport> Device<T> {
    /// Makes a new private key in `slot` and gives its public key. The old one is gone.
    ///
    /// Random comes first, for the reason that [`sign`](Self::sign) gives.
    ///
    /// # Errors
    /// When the chip cannot be reached, or the slot takes no new key. After a lost answer the key may be new
    /// nevertheless: ask for its public key.
    pub fn generate_key(
        &mut self,
        slot: Slot,
        consent: Irreversible<OverwritesKey>,
    ) -> Result<PublicKey, Error<T::Error>> {
        self.run(&(Random, GenKeyPrivate { key: slot, consent })).map(|(_, key)| key)
    }

    /// Whether `slot` holds a valid key of the curve.
    ///
    /// # Errors
    /// When the chip cannot be reached or refuses.
    pub fn is_key_valid(&mut self, slot: Slot) -> Result<bool, Error<T::Error>> {
        self.run(&(InfoKeyValid { key: slot },)).map(|(valid,)| valid)
    }

    /// The shared secret of the private key in `slot` and `peer`: the X coordinate, 32 bytes. It crosses the
    /// bus in clear text; [`ecdh_protected`](Self::ecdh_protected) does not.
    ///
    /// # Errors
    /// When the chip cannot be reached, the slot does not allow ECDH or keeps the result, or `peer` is no point
    /// of the curve.
    pub fn ecdh(&mut self, slot: Slot, peer: &PublicKey) -> Result<Secret<32>, Error<T::Error>> {
        self.run(&(Ecdh { key: EcdhKey::Slot(slot), peer },)).map(|(secret,)| secret)
    }

    /// As [`ecdh`](Self::ecdh), with the result encrypted on the bus under the IO protection key.
    ///
    /// # Errors
    /// As [`ecdh`](Self::ecdh), and when the chip has no IO protection key. A wrong key is not noticed: the
    /// secret is then another than the peer's.
    pub fn ecdh_protected(
        &mut self,
        slot: Slot,
        peer: &PublicKey,
        io_protection_key: &Secret<32>,
    ) -> Result<Secret<32>, Error<T::Error>> {
        let (protected,) = self.run(&(EcdhProtected { key: EcdhKey::Slot(slot), peer },))?;
        Ok(protected.open(io_protection_key))
    }

    /// ECDH into TempKey, then `kdf` from there: the shared secret itself never leaves the chip.
    ///
    /// # Errors
    /// As [`ecdh`](Self::ecdh), and when the chip refuses the derivation.
    pub fn ecdh_kdf(
        &mut self,
        slot: Slot,
        peer: &PublicKey,
        kdf: Kdf<'_>,
    ) -> Result<KdfOutput, Error<T::Error>> {
        self.run(&(EcdhToTempKey { key: EcdhKey::Slot(slot), peer }, kdf)).map(|((), output)| output)
    }

    /// Lets `attester`, a slot that signs internal messages, state what key is in `slot` and under which rules.
    ///
    /// `configuration` is that of this chip; with another the attestation does not verify. `input` is the
    /// caller's own randomness, against old statements.
    ///
    /// # Errors
    /// When the chip cannot be reached, or one of the slots does not allow it.
    pub fn attest(
        &mut self,
        slot: Slot,
        attester: Slot,
        configuration: &Configuration,
        input: &[u8; 20],
    ) -> Result<Attestation, Error<T::Error>> {
        let nonce = NonceRandom { input };
        let sign = SignInternal { key: attester, include_serial: true, for_invalidation: false };
        let (random, public_key, signature) = self.run(&(nonce, GenKeyPublicDigest { key: slot }, sign))?;
        let serial = configuration.serial_number();
        let temp_key = host::nonce::random(&nonce, &random);
        let temp_key = host::attestation::key_digest(&temp_key, slot, &public_key, &serial);
        let message_digest =
            host::attestation::message_digest(&sign, &temp_key, slot, NonceOrigin::Random, configuration);
        Ok(Attestation { public_key, message_digest, signature })
    }

    /// Whether the chip finds that `signature` over `digest` was made with the public key that `slot` stores.
    ///
    /// # Errors
    /// When the chip cannot be reached, or the slot holds no key that may be used now.
    pub fn verify_stored(
        &mut self,
        slot: Slot,
        digest: &Digest,
        signature: &Signature,
    ) -> Result<bool, Error<T::Error>> {
        let load = NonceFixed { target: NonceTarget::MessageDigestBuffer, value: digest };
        let verify = VerifyStored { source: DigestSource::MessageDigestBuffer, signature, key: slot };
        self.run(&(load, verify)).map(|((), fits)| fits)
    }

    /// As [`verify`](Self::verify) and [`verify_stored`](Self::verify_stored), with an answer that nobody
    /// between host and chip can forge. `nonce` is the caller's own randomness.
    ///
    /// # Errors
    /// As those, and [`Error::WrongMac`].
    pub fn verify_protected(
        &mut self,
        key: VerifyKey<'_>,
        digest: &Digest,
        signature: &Signature,
        nonce: &[u8; 32],
        io_protection_key: &Secret<32>,
    ) -> Result<bool, Error<T::Error>> {
        let mut value = [0; 64];
        let (first, second) = value.split_at_mut(32);
        first.copy_from_slice(digest);
        second.copy_from_slice(nonce);
        let load = NonceFixed64 { target: NonceTarget64::MessageDigestBuffer, value: &value };
        let verify = VerifyWithMac { signature, key };
        let ((), answer) = self.run(&(load, verify))?;
        let Some(mac) = answer else { return Ok(false) };
        if host::is_equal(&mac, &host::verify::mac(&verify, io_protection_key, digest, nonce)) {
            Ok(true)
        } else {
            Err(Error::WrongMac { command: VerifyWithMac::NAME })
        }
    }

    /// Makes a stored public key usable or useless, on the word of its authority, and gives whether the
    /// signature fits, and so the validity has changed.
    ///
    /// What the authority signed is the message that [`host::attestation`] describes. It begins with the digest
    /// of the key, which GenKey makes from `nonce` and `key_data`, and goes on with the data in `order`.
    ///
    /// # Errors
    /// When the chip cannot be reached, or the slot holds no key of this kind.
    pub fn set_validity(
        &mut self,
        nonce: &[u8; 32],
        key_data: &[u8; 3],
        order: VerifyValidity<'_>,
    ) -> Result<bool, Error<T::Error>> {
        let load = NonceFixed { target: NonceTarget::TempKey, value: nonce };
        let digest = GenKeyStoredDigest { key: order.key, other_data: key_data };
        self.run(&(load, digest, order)).map(|((), (), fits)| fits)
    }
}
