//! Which of the chip's keys is meant.

use atecc::Slot;
use atecc_token::Token;

use crate::{error::Error, values};

/// The option that names a key, and whose key it is without it.
#[derive(Debug, clap::Args)]
pub(crate) struct KeySlot {
    /// The slot of the key; by default that of the key with the certificate: 0, or 1 in parts for LoRaWAN.
    #[arg(long, value_name = "N", value_parser = values::slot)]
    slot: Option<Slot>,
}

impl KeySlot {
    /// The slot of the key in this chip.
    ///
    /// # Errors
    /// When the chip has to be asked, and does not answer.
    pub(crate) fn of(&self, token: &Token) -> Result<Slot, Error> {
        match self.slot {
            Some(slot) => Ok(slot),
            None => Ok(token.primary_key()?),
        }
    }
}
