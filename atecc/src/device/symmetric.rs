//! AES, MAC and key derivation with keys in slots.

use crate::{
    Device, Error, Slot, Transport,
    command::{
        AesDecrypt, AesEncrypt, AesGfm, AesKey, CheckMac, DeriveKey, Kdf, KdfOutput, Mac, MacInput,
        NonceOrigin, NonceRandom,
    },
    irreversible::{Irreversible, OverwritesKey},
};

impl<T: Transport> Device<T> {
    /// One block of AES-128-ECB, encrypted.
    ///
    /// # Errors
    /// When the chip cannot be reached, AES is not enabled, or the slot holds no AES key.
    pub fn aes_encrypt(&mut self, key: AesKey, block: &[u8; 16]) -> Result<[u8; 16], Error<T::Error>> {
        self.run(&(AesEncrypt { key, block },)).map(|(block,)| block)
    }

    /// One block of AES-128-ECB, decrypted.
    ///
    /// # Errors
    /// As [`aes_encrypt`](Self::aes_encrypt).
    pub fn aes_decrypt(&mut self, key: AesKey, block: &[u8; 16]) -> Result<[u8; 16], Error<T::Error>> {
        self.run(&(AesDecrypt { key, block },)).map(|(block,)| block)
    }

    /// `h` times `input` in the field of GHASH.
    ///
    /// # Errors
    /// When the chip cannot be reached, or AES is not enabled.
    pub fn galois_multiply(&mut self, h: &[u8; 16], input: &[u8; 16]) -> Result<[u8; 16], Error<T::Error>> {
        self.run(&(AesGfm { h, input },)).map(|(product,)| product)
    }

    /// The answer to `challenge` under the key in `key`. With `include_serial` it is of this chip only.
    ///
    /// # Errors
    /// When the chip cannot be reached, or the slot does not allow MAC.
    pub fn mac(
        &mut self,
        key: Slot,
        challenge: &[u8; 32],
        include_serial: bool,
    ) -> Result<[u8; 32], Error<T::Error>> {
        let input = MacInput::KeyAndChallenge { key, challenge };
        self.run(&(Mac { input, include_serial },)).map(|(mac,)| mac)
    }

    /// Whether `response` is what another chip with the same key answers to `challenge`, where that chip hashed
    /// `other_data` (see [`host::mac::other_data`](crate::host::mac::other_data)).
    ///
    /// # Errors
    /// When the chip cannot be reached, or the slot does not allow CheckMac.
    pub fn check_mac(
        &mut self,
        key: Slot,
        challenge: &[u8; 32],
        response: &[u8; 32],
        other_data: &[u8; 13],
    ) -> Result<bool, Error<T::Error>> {
        let input = MacInput::KeyAndChallenge { key, challenge };
        self.run(&(CheckMac { input, response, other_data },)).map(|(matches,)| matches)
    }

    /// Derives from a key in a slot. From TempKey see [`ecdh_kdf`](Self::ecdh_kdf) and [`run`](Self::run).
    ///
    /// # Errors
    /// When the chip cannot be reached, or refuses the derivation.
    pub fn kdf(&mut self, kdf: Kdf<'_>) -> Result<KdfOutput, Error<T::Error>> {
        self.run(&(kdf,)).map(|(output,)| output)
    }

    /// Replaces the key in `target` by one derived from its parent and a nonce of the chip, whose random part
    /// is given back: [`host::derive_key`](crate::host::derive_key) makes the same key of it. `input` is the
    /// caller's part of the nonce.
    ///
    /// # Errors
    /// When the chip cannot be reached, or the slot does not allow DeriveKey or wants a MAC.
    pub fn derive_key(
        &mut self,
        target: Slot,
        input: &[u8; 20],
        mac: Option<&[u8; 32]>,
        consent: Irreversible<OverwritesKey>,
    ) -> Result<[u8; 32], Error<T::Error>> {
        let derive = DeriveKey { target, origin: NonceOrigin::Random, mac, consent };
        self.run(&(NonceRandom { input }, derive)).map(|(random, ())| random)
    }
}
