//! A slot: the place of a device, whether or not a chip answers there (section 5.5).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atecc_token::DeviceSpec;

use crate::{config::Policy, error::Error, token::Token};

/// One slot.
pub(crate) struct Slot {
    device: DeviceSpec,
    policy: Arc<Policy>,
    token: Mutex<Option<Arc<Token>>>,
    /// Whether a token was there when somebody was told, or asked for the first time.
    told: Mutex<Option<bool>>,
}

impl Slot {
    /// The slot of a device, which is not touched yet.
    pub(crate) fn new(device: DeviceSpec, policy: Arc<Policy>) -> Self {
        Self { device, policy, token: Mutex::new(None), told: Mutex::new(None) }
    }

    /// The device, as the user writes it.
    pub(crate) fn description(&self) -> String {
        self.device.to_string()
    }

    /// Whether the chip may go and come back.
    pub(crate) fn is_removable(&self) -> bool {
        self.device.is_removable()
    }

    /// The token, opened at the first call that needs it. Where there was none, or it went, each call looks again.
    pub(crate) fn token(&self) -> Result<Arc<Token>, Error> {
        self.token_if(|token| !token.is_gone())
    }

    /// The token, if one is there now.
    pub(crate) fn present(&self) -> Option<Arc<Token>> {
        let token = self.token_if(Token::answers).ok();
        locked(&self.told).get_or_insert(token.is_some());
        token
    }

    /// Whether a token came or went since this was asked the last time.
    pub(crate) fn has_event(&self) -> bool {
        let before = *locked(&self.told);
        let now = self.present().is_some();
        *locked(&self.told) = Some(now);
        before.is_some_and(|before| before != now)
    }

    fn token_if(&self, is_usable: impl FnOnce(&Token) -> bool) -> Result<Arc<Token>, Error> {
        let mut token = locked(&self.token);
        if let Some(token) = token.as_ref().filter(|token| is_usable(token)) {
            return Ok(Arc::clone(token));
        }
        // Its sessions still hold the one that went.
        *token = None;
        let opened = Arc::new(Token::open(&self.device, &self.policy)?);
        *token = Some(Arc::clone(&opened));
        Ok(opened)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
