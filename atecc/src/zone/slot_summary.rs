//! What a slot may do, SlotConfig and KeyConfig read together.

use core::fmt;

use super::{Configuration, Slot};

/// One line about a slot, for a table: what it holds, what that may be used for, who may change it.
#[derive(Clone, Copy, Debug)]
pub struct SlotSummary<'a> {
    pub(super) configuration: &'a Configuration,
    pub(super) slot: Slot,
}

impl fmt::Display for SlotSummary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.configuration.slot_rules(self.slot);
        let key = self.configuration.key_properties(self.slot);
        write!(f, "{key}: ")?;
        if key.private() {
            // Read and Write never reach a private key; GenKey and PrivWrite do.
            write!(f, "{}", rules.private_key_use())?;
            f.write_str(if rules.write_config().allows_genkey() { "; new key by GenKey" } else { "" })?;
            f.write_str(if rules.write_config().allows_privwrite() { "; encrypted PrivWrite" } else { "" })?;
        } else {
            write!(f, "{rules}")?;
        }
        f.write_str(if self.configuration.is_slot_locked(self.slot) { "; locked" } else { "" })
    }
}
