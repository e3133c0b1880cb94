//! `atecc lock`.

use atecc::{
    Slot,
    irreversible::{Consequence, Irreversible, LocksSlot},
};

use crate::{ask, error::Error, output, session::Session, slots::check_slot, values};

/// Lock a slot with what is in it, for ever.
///
/// This cannot be undone. So the slot has to be typed once more, with the words that say so. A private key in a
/// locked slot goes on working; it can no longer be replaced.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The slot; `atecc info` shows which can be locked.
    #[arg(value_parser = values::slot)]
    slot: Slot,
    /// For scripts: lock this slot without a question. It must be the same slot.
    #[arg(long, value_name = "N", value_parser = values::slot)]
    yes_lock_slot: Option<Slot>,
}

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let slot = arguments.slot;
    let token = session.token()?;
    let configuration = token.read_configuration()?;
    if configuration.is_slot_locked(slot) {
        return Err(Error::SlotLocked { slot });
    }
    if !configuration.key_properties(slot).lockable() {
        return Err(Error::NotLockable { slot });
    }
    match arguments.yes_lock_slot {
        Some(named) => check_slot(slot, named)?,
        None => {
            let text = format!("Slot {slot}: {}.", LocksSlot::TEXT);
            ask::for_words(&text, &format!("lock {slot} for ever"), &format!("--yes-lock-slot {slot}"))?;
        }
    }
    // The consent was to this chip.
    if !token.is_present() {
        return Err(Error::ChipChanged);
    }
    token.lock_slot(slot, Irreversible::i_understand(LocksSlot))?;
    output::text(&format!("slot {slot} is locked\n"), None)
}
