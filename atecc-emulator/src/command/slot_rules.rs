//! SlotConfig and KeyConfig as questions (section 2.2.2).

use atecc::{Configuration, Slot};

/// The rules of one slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct SlotRules {
    slot_config: u16,
    key_config: u16,
}

impl SlotRules {
    pub(super) fn of(configuration: &Configuration, slot: Slot) -> Self {
        Self { slot_config: configuration.slot_config(slot), key_config: configuration.key_config(slot) }
    }

    /// KeyConfig.Private, bit 0, of a slot whose KeyConfig.KeyType, bits 4:2, is P-256: it holds a private key.
    pub(super) const fn is_private_key(self) -> bool {
        self.key_config & 0x0001 != 0 && self.key_config >> 2 & 0x07 == 4
    }

    /// KeyConfig.PubInfo, bit 1: the public key may be computed.
    pub(super) const fn gives_public_key(self) -> bool {
        self.key_config & 0x0002 != 0
    }

    /// SlotConfig.ReadKey, bit 0, of a private key: it signs digests from outside.
    pub(super) const fn signs_external(self) -> bool {
        self.slot_config & 0x0001 != 0
    }

    /// SlotConfig.IsSecret, bit 7, is clear: the slot is read in clear text. A private key never is.
    pub(super) const fn is_readable(self) -> bool {
        !self.is_private_key() && self.slot_config & 0x0080 == 0
    }
}
