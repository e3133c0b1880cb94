//! What the model knows of a chip's EEPROM: its bytes, and what the bits of the configuration zone mean.
//!
//! The bits are decoded here anew, from the tables of the data sheets, so that a mistake in the driver's or the
//! emulated chip's reading of them shows.

use std::ops::Range;

use super::vectors::is_good_key;

pub(crate) const CONFIGURATION: usize = 128;
pub(crate) const OTP: usize = 64;
const UNLOCKED: u8 = 0x55;

/// KeyType of a P-256 key, KeyConfig\[4:2\] (note 1 under table 2-17).
const P256: u16 = 4;
/// KeyType of an AES key.
const AES: u16 = 6;

/// The EEPROM as the model expects it: configuration zone, OTP zone, slots 0 to 15.
#[derive(Clone)]
pub(crate) struct Memory {
    pub(crate) bytes: Vec<u8>,
    /// Public keys (X, Y) of the factory that are points of the curve.
    pub(crate) factory_keys: Vec<Vec<u8>>,
}

/// How a slot may be written with Write (WriteConfig; TNGTLS tables 2-4 to 2-17, TFLXTLS tables 2-7 and 2-16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    Always,
    IfInvalidated,
    Encrypted,
    Never,
}

impl Memory {
    fn word(&self, index: usize) -> u16 {
        u16::from_le_bytes([self.bytes[index], self.bytes[index + 1]])
    }

    fn slot_config(&self, slot: u8) -> u16 {
        self.word(20 + 2 * usize::from(slot))
    }

    fn key_config(&self, slot: u8) -> u16 {
        self.word(96 + 2 * usize::from(slot))
    }

    pub(crate) fn is_configuration_locked(&self) -> bool {
        self.bytes[87] != UNLOCKED
    }

    pub(crate) fn is_data_locked(&self) -> bool {
        self.bytes[86] != UNLOCKED
    }

    /// SlotLocked, bytes 88 and 89: zero is locked.
    pub(crate) fn is_slot_locked(&self, slot: u8) -> bool {
        self.word(88) >> slot & 1 == 0
    }

    pub(crate) fn is_secret(&self, slot: u8) -> bool {
        self.slot_config(slot) & 0x0080 != 0
    }

    pub(crate) fn is_read_encrypted(&self, slot: u8) -> bool {
        self.slot_config(slot) & 0x0040 != 0
    }

    pub(crate) fn is_no_mac(&self, slot: u8) -> bool {
        self.slot_config(slot) & 0x0010 != 0
    }

    /// Bit 5: uses are counted, by Counter\[0\] (TNGLORA section 5.3.3).
    pub(crate) fn is_limited(&self, slot: u8) -> bool {
        self.slot_config(slot) & 0x0020 != 0
    }

    pub(crate) fn read_key(&self, slot: u8) -> u8 {
        (self.slot_config(slot) & 0x0f) as u8
    }

    pub(crate) fn write_key(&self, slot: u8) -> u8 {
        (self.slot_config(slot) >> 8 & 0x0f) as u8
    }

    pub(crate) fn writing(&self, slot: u8) -> Writing {
        match self.slot_config(slot) >> 12 {
            0 => Writing::Always,
            1 => Writing::IfInvalidated,
            value if value & 0x4 != 0 => Writing::Encrypted,
            _ => Writing::Never,
        }
    }

    /// Bit 13: GenKey may create a key here, DeriveKey may derive one.
    pub(crate) fn is_creation_allowed(&self, slot: u8) -> bool {
        self.slot_config(slot) & 0x2000 != 0
    }

    /// Bit 12: DeriveKey takes the parent and not the target (TNGLORA, DS40002154A, section 5.3.3).
    pub(crate) fn derives_from_parent(&self, slot: u8) -> bool {
        self.slot_config(slot) & 0x1000 != 0
    }

    /// Bit 15: DeriveKey needs a MAC of the parent key (same section).
    pub(crate) fn needs_derivation_mac(&self, slot: u8) -> bool {
        self.slot_config(slot) & 0x8000 != 0
    }

    pub(crate) fn is_private(&self, slot: u8) -> bool {
        self.is_p256(slot) && self.key_config(slot) & 0x01 != 0
    }

    pub(crate) fn is_marked_private(&self, slot: u8) -> bool {
        self.key_config(slot) & 0x01 != 0
    }

    pub(crate) fn is_public(&self, slot: u8) -> bool {
        self.is_p256(slot) && self.key_config(slot) & 0x01 == 0
    }

    fn is_p256(&self, slot: u8) -> bool {
        self.key_config(slot) >> 2 & 0x07 == P256
    }

    pub(crate) fn is_aes(&self, slot: u8) -> bool {
        self.key_config(slot) >> 2 & 0x07 == AES
    }

    /// Bit 1. Private: the public key may be had. Public: has to be validated. Symmetric: KDF may write.
    pub(crate) fn pub_info(&self, slot: u8) -> bool {
        self.key_config(slot) & 0x02 != 0
    }

    pub(crate) fn is_lockable(&self, slot: u8) -> bool {
        self.key_config(slot) & 0x20 != 0
    }

    pub(crate) fn needs_random_nonce(&self, slot: u8) -> bool {
        self.key_config(slot) & 0x40 != 0
    }

    /// Use bits of a private key, in place of ReadKey: external signatures, internal ones, ECDH.
    pub(crate) fn may_sign_external(&self, slot: u8) -> bool {
        self.is_private(slot) && self.read_key(slot) & 1 != 0
    }

    pub(crate) fn may_sign_internal(&self, slot: u8) -> bool {
        self.is_private(slot) && self.read_key(slot) & 2 != 0
    }

    pub(crate) fn may_agree(&self, slot: u8) -> bool {
        self.is_private(slot) && self.read_key(slot) & 4 != 0
    }

    /// ValidateNibble of a public key: 5 is validated, 0xA invalidated (TFLXTLS, table 5-70).
    pub(crate) fn validation(&self, slot: u8) -> u8 {
        self.slot(slot)[0] >> 4
    }

    pub(crate) fn is_aes_enabled(&self) -> bool {
        self.bytes[13] & 1 != 0
    }

    pub(crate) fn is_kdf_aes_enabled(&self) -> bool {
        self.bytes[90] & 0x04 != 0
    }

    pub(crate) fn is_io_protection_enabled(&self) -> bool {
        self.bytes[90] & 0x02 != 0
    }

    /// ChipOptions\[9:8\].
    pub(crate) fn ecdh_protection(&self) -> u8 {
        self.bytes[91] & 0x03
    }

    /// ChipOptions\[11:10\].
    pub(crate) fn kdf_protection(&self) -> u8 {
        self.bytes[91] >> 2 & 0x03
    }

    /// SecureBootMode, SecureBoot\[1:0\]: 3 is FullDig (TFLXTLS, table 2-3).
    pub(crate) fn secure_boot_mode(&self) -> u8 {
        self.bytes[70] & 0x03
    }

    pub(crate) fn secure_boot_digest_slot(&self) -> u8 {
        self.bytes[71] & 0x0f
    }

    pub(crate) fn secure_boot_key_slot(&self) -> u8 {
        self.bytes[71] >> 4
    }

    /// The address that the chip takes when it wakes from sleep (section 2.1.1).
    pub(crate) fn address(&self) -> u8 {
        let alternate = self.bytes[19] & 1 != 0 && self.bytes[85] != 0;
        self.bytes[if alternate { 85 } else { 16 }] >> 1
    }

    /// Whether a slot holds a public key of which the test knows that it is a point of the curve.
    pub(crate) fn holds_good_key(&self, slot: u8) -> bool {
        let key = self.public_key(slot);
        is_good_key(&key) || self.factory_keys.contains(&key)
    }

    /// X and Y as they lie in a slot, each behind four bytes of padding (section 4.5.1.1).
    pub(crate) fn public_key(&self, slot: u8) -> Vec<u8> {
        let content = self.slot(slot);
        [content.get(4..36), content.get(40..72)].into_iter().flatten().flatten().copied().collect()
    }

    pub(crate) fn slot(&self, slot: u8) -> &[u8] {
        &self.bytes[slot_range(slot)]
    }
}

/// Bytes in a slot (table 2-1).
pub(crate) const fn slot_size(slot: u8) -> usize {
    match slot {
        0..=7 => 36,
        8 => 416,
        _ => 72,
    }
}

/// Where a slot lies in [`Memory`].
pub(crate) fn slot_range(slot: u8) -> Range<usize> {
    let start = CONFIGURATION + OTP + (0..slot).map(slot_size).sum::<usize>();
    start..start + slot_size(slot)
}
