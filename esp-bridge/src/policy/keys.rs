//! Which slots may be used for what, from the chip's own configuration zone.

use atecc::{Configuration, Slot};

/// Some of the sixteen slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotSet(u16);

impl SlotSet {
    /// Whether `slot` is one of them.
    pub const fn contains(self, slot: u8) -> bool {
        slot < 16 && self.0 >> slot & 1 == 1
    }

    fn insert(&mut self, slot: u8) {
        self.0 |= 1 << (slot & 0x0f);
    }
}

/// The private keys of a chip. Without a chip there are none, so nothing may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeySlots {
    /// They sign digests from outside.
    pub sign: SlotSet,
    /// They sign what the chip itself made.
    pub attest: SlotSet,
    /// They take part in ECDH.
    pub ecdh: SlotSet,
    /// Their ECDH result goes to a slot unless the command says otherwise.
    pub keeps_ecdh: SlotSet,
}

impl KeySlots {
    /// The keys that `configuration` describes (SlotConfig and KeyConfig, section 2.2).
    pub fn from_configuration(configuration: &Configuration) -> Self {
        let mut keys = Self::default();
        for slot in (0..16).filter_map(Slot::new) {
            if !configuration.key_properties(slot).private() {
                continue;
            }
            let use_of = configuration.slot_rules(slot).private_key_use();
            for (allowed, set) in [
                (use_of.signs_external(), &mut keys.sign),
                (use_of.signs_internal(), &mut keys.attest),
                (use_of.allows_ecdh(), &mut keys.ecdh),
                (use_of.keeps_ecdh_result(), &mut keys.keeps_ecdh),
            ] {
                if allowed {
                    set.insert(slot.number());
                }
            }
        }
        keys
    }
}
