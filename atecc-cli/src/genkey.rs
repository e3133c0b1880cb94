//! `atecc genkey`.

use std::path::PathBuf;

use atecc::{
    PublicKey, Slot,
    irreversible::{Consequence, Irreversible, OverwritesKey},
};

use crate::{ask, error::Error, output, public_key, session::Session, slots::check_slot, values};

/// Make a new private key in slot 2, 3 or 4, and print its public key in PEM.
///
/// The key that was in the slot is destroyed, and certificates for it become useless. So the slot has to be typed
/// once more, with "overwrite" before it. The key of slot 0 is permanent.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The slot: 2, 3 or 4.
    #[arg(value_parser = values::secondary_slot)]
    slot: Slot,
    /// For scripts: overwrite this slot without a question. It must be the same slot.
    #[arg(long, value_name = "N", value_parser = values::secondary_slot)]
    yes_overwrite_slot: Option<Slot>,
    /// Write to this file instead of standard output; an existing file is replaced.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
}

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let slot = arguments.slot;
    let token = session.token()?;
    let configuration = token.read_configuration()?;
    if configuration.is_slot_locked(slot) {
        return Err(Error::SlotLocked { slot });
    }
    if !configuration.slot_rules(slot).write_config().allows_genkey() {
        return Err(Error::NoNewKey { slot });
    }
    match arguments.yes_overwrite_slot {
        Some(named) => check_slot(slot, named)?,
        None => {
            let text = warning(slot, token.public_key(slot).ok());
            ask::for_words(&text, &format!("overwrite {slot}"), &format!("--yes-overwrite-slot {slot}"))?;
        }
    }
    // What can fail without a new key fails before there is one, and the consent was to this chip.
    output::check_writable(arguments.out.as_deref())?;
    if !token.is_present() {
        return Err(Error::ChipChanged);
    }
    let key = token.generate_key(slot, Irreversible::i_understand(OverwritesKey))?;
    output::text(&public_key::to_pem(&key)?, arguments.out.as_deref())
}

fn warning(slot: Slot, old: Option<PublicKey>) -> String {
    match old {
        Some(key) => {
            let start = output::hex(&key.as_bytes()[..8]);
            format!("Slot {slot} holds a key (public key {start}...). If you go on, {}.", OverwritesKey::TEXT)
        }
        None => format!("Slot {slot} shows no key. If you go on and it holds one, {}.", OverwritesKey::TEXT),
    }
}
