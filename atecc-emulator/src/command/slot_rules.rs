//! SlotConfig and KeyConfig as questions (section 2.2 of the data sheets of the ATECC608 products, which explain
//! the values that they use; the bits one by one are in the data sheet of the ATECC508A, which has the same).

use atecc::{Configuration, Slot};

/// The rules of one slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotRules {
    slot_config: u16,
    key_config: u16,
    is_slot_locked: bool,
}

/// KeyConfig.KeyType, bits 4:2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyType {
    /// 4: NIST P-256.
    P256,
    /// 6: AES-128.
    Aes,
    /// 7: a SHA key or other data.
    Other,
    /// The numbers that mean nothing.
    Reserved,
}

/// What SlotConfig.WriteConfig, bits 15:12, lets Write do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteRule {
    /// 0000: in clear text.
    Always,
    /// 0001: in clear text, while it holds no validated public key.
    PublicKeyInvalid,
    /// x1xx: encrypted, with a MAC.
    Encrypted,
    /// The other values.
    Never,
}

/// Where DeriveKey takes the old key from, if it may write the slot at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DeriveRule {
    /// Bit 12: from the slot that WriteKey names, and not from the slot itself.
    pub(super) is_from_parent: bool,
    /// Bit 15: only with a MAC.
    pub(super) needs_mac: bool,
}

impl SlotRules {
    pub(crate) fn of(configuration: &Configuration, slot: Slot) -> Self {
        Self {
            slot_config: configuration.slot_config(slot),
            key_config: configuration.key_config(slot),
            is_slot_locked: configuration.is_slot_locked(slot),
        }
    }

    /// SlotConfig and KeyConfig, as they stand in the configuration zone.
    pub(super) const fn raw(self) -> [u8; 4] {
        let ([a, b], [c, d]) = (self.slot_config.to_le_bytes(), self.key_config.to_le_bytes());
        [a, b, c, d]
    }

    /// The slot was locked by itself.
    pub(super) const fn is_slot_locked(self) -> bool {
        self.is_slot_locked
    }

    pub(super) const fn key_type(self) -> KeyType {
        match self.key_config >> 2 & 0x07 {
            4 => KeyType::P256,
            6 => KeyType::Aes,
            7 => KeyType::Other,
            _ => KeyType::Reserved,
        }
    }

    /// KeyConfig.Private, bit 0, of a slot whose KeyType is P-256: it holds a private key.
    pub(super) fn is_private_key(self) -> bool {
        self.is_marked_private() && self.key_type() == KeyType::P256
    }

    /// KeyConfig.Private, bit 0, whatever the type: nothing but commands for private keys touches it.
    pub(super) const fn is_marked_private(self) -> bool {
        self.key_config & 0x0001 != 0
    }

    /// A public key can be stored here.
    pub(super) fn is_public_key(self) -> bool {
        !self.is_marked_private() && self.key_type() == KeyType::P256
    }

    /// KeyConfig.PubInfo, bit 1, of a private key: the public key may be computed.
    pub(super) const fn gives_public_key(self) -> bool {
        self.key_config & 0x0002 != 0
    }

    /// PubInfo of a public key: it must be validated before it is used.
    pub(super) fn needs_validation(self) -> bool {
        self.is_public_key() && self.key_config & 0x0002 != 0
    }

    /// PubInfo of anything else: ECDH and KDF may write it (TNGLORA data sheet, section 2.2.3).
    pub(super) fn takes_derived_keys(self) -> bool {
        !self.is_marked_private() && self.key_type() != KeyType::P256 && self.key_config & 0x0002 != 0
    }

    /// KeyConfig.Lockable, bit 5.
    pub(super) const fn is_lockable(self) -> bool {
        self.key_config & 0x0020 != 0
    }

    /// KeyConfig.ReqRandom, bit 6: a nonce that it works with must hold a random number of the chip.
    pub(super) const fn needs_random(self) -> bool {
        self.key_config & 0x0040 != 0
    }

    /// KeyConfig.ReqAuth, bit 7, and AuthKey, bits 11:8: the key that must have been authorized before.
    pub(super) fn authorization(self) -> Option<Slot> {
        if self.key_config & 0x0080 == 0 { None } else { Slot::new((self.key_config >> 8 & 0x0f) as u8) }
    }

    /// KeyConfig.PersistentDisable, bit 12: only while the persistent latch is set.
    pub(super) const fn needs_latch(self) -> bool {
        self.key_config & 0x1000 != 0
    }

    /// SlotConfig.ReadKey, bit 0, of a private key: it signs digests from outside.
    pub(super) const fn signs_external(self) -> bool {
        self.slot_config & 0x0001 != 0
    }

    /// SlotConfig.ReadKey, bit 1, of a private key: it signs what GenDig and GenKey left in TempKey.
    pub(super) const fn signs_internal(self) -> bool {
        self.slot_config & 0x0002 != 0
    }

    /// SlotConfig.ReadKey, bit 2, of a private key: ECDH.
    pub(super) const fn agrees_keys(self) -> bool {
        self.slot_config & 0x0004 != 0
    }

    /// SlotConfig.ReadKey, bit 3, of a private key: the shared secret goes into the next slot.
    pub(super) const fn keeps_agreed_key(self) -> bool {
        self.slot_config & 0x0008 != 0
    }

    /// SlotConfig.ReadKey, bits 3:0: the slot of the key that reads are encrypted with; of a public key the
    /// slot of the key that validates it.
    pub(super) fn read_key(self) -> Option<Slot> {
        Slot::new((self.slot_config & 0x0f) as u8)
    }

    /// SlotConfig.NoMac, bit 4.
    pub(super) const fn is_no_mac(self) -> bool {
        self.slot_config & 0x0010 != 0
    }

    /// SlotConfig.LimitedUse, bit 5: each use counts up Counter\[0\].
    pub(super) const fn is_limited(self) -> bool {
        self.slot_config & 0x0020 != 0
    }

    /// SlotConfig.EncryptRead, bit 6.
    pub(super) const fn is_read_encrypted(self) -> bool {
        self.slot_config & 0x0040 != 0
    }

    /// SlotConfig.IsSecret, bit 7: never read in clear text, nor touched four bytes at a time.
    pub(super) const fn is_secret(self) -> bool {
        self.slot_config & 0x0080 != 0
    }

    /// SlotConfig.WriteKey, bits 11:8: the slot of the key that writes are encrypted with.
    pub(super) fn write_key(self) -> Option<Slot> {
        Slot::new((self.slot_config >> 8 & 0x0f) as u8)
    }

    pub(super) const fn write_rule(self) -> WriteRule {
        match self.slot_config >> 12 {
            0b0000 => WriteRule::Always,
            0b0001 => WriteRule::PublicKeyInvalid,
            config if config & 0b0100 != 0 => WriteRule::Encrypted,
            _ => WriteRule::Never,
        }
    }

    /// WriteConfig, bit 13: GenKey may make a new key here.
    pub(super) const fn is_regenerable(self) -> bool {
        self.slot_config & 0x2000 != 0
    }

    /// WriteConfig, bit 14: PrivWrite may write it, encrypted.
    pub(super) const fn takes_private_keys(self) -> bool {
        self.slot_config & 0x4000 != 0
    }

    /// WriteConfig for DeriveKey.
    pub(super) fn derive_rule(self) -> Option<DeriveRule> {
        let is_target = self.slot_config & 0x2000 != 0;
        is_target.then_some(DeriveRule {
            is_from_parent: self.slot_config & 0x1000 != 0,
            needs_mac: self.slot_config & 0x8000 != 0,
        })
    }
}
