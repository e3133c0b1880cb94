//! A slot: the place of a device, whether or not a chip answers there (section 5.5).

use std::sync::{Arc, Mutex, PoisonError};

use atecc_token::DeviceSpec;

use crate::{error::Error, log::Log, token::Token};

/// One slot.
pub(crate) struct Slot {
    device: DeviceSpec,
    log: Log,
    token: Mutex<Option<Arc<Token>>>,
}

impl Slot {
    /// The slot of a device, which is not touched yet.
    pub(crate) fn new(device: DeviceSpec, log: Log) -> Self {
        Self { device, log, token: Mutex::new(None) }
    }

    /// The device, as the user writes it.
    pub(crate) fn description(&self) -> String {
        self.device.to_string()
    }

    /// The token, opened at the first call that needs it. Where there was none, each call looks again.
    pub(crate) fn token(&self) -> Result<Arc<Token>, Error> {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = &*token {
            return Ok(Arc::clone(token));
        }
        let opened = Arc::new(Token::open(&self.device, self.log)?);
        *token = Some(Arc::clone(&opened));
        Ok(opened)
    }
}
