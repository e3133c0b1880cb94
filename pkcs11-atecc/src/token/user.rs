//! Who is logged in, and what only they may see.

use std::sync::atomic::Ordering;

use cryptoki_sys::*;

use super::Token;
use crate::{error::Error, object::Object};

impl Token {
    /// Whether keys are for those only who gave the PIN.
    pub(crate) fn requires_login(&self) -> bool {
        self.policy.pin.is_some()
    }

    /// Whether an application may see `object` at the moment.
    pub(super) fn is_visible(&self, object: &Object) -> bool {
        !object.flag(CKA_PRIVATE) || !self.requires_login() || self.is_user_logged_in()
    }

    /// Whether somebody is logged in to this token.
    pub(crate) fn is_user_logged_in(&self) -> bool {
        self.is_user_logged_in.load(Ordering::Acquire)
    }

    /// What C_Login and C_Logout decided.
    pub(crate) fn set_user(&self, is_logged_in: bool) {
        self.is_user_logged_in.store(is_logged_in, Ordering::Release);
    }

    /// C_Login. Where no PIN is configured, none and any is right: clients that insist on one may send what they
    /// like.
    ///
    /// A try is counted before it is known to be wrong, and for all processes where the store can be written, so
    /// that nobody gets more tries by asking at the same time or anew.
    pub(crate) fn check_pin(&self, pin: Result<&[u8], Error>) -> Result<(), Error> {
        let Some(right) = &self.policy.pin else { return Ok(()) };
        let pin = pin?;
        // Who has no PIN to give does not guess.
        if pin.is_empty() {
            return Err(Error::PinIncorrect);
        }
        let counted = self.store().update(|contents| {
            let tries = contents.pin_tries(&self.serial);
            if tries >= right.tries() {
                return Err(Error::PinLocked);
            }
            contents.set_pin_tries(&self.serial, tries + 1);
            Ok(())
        });
        match counted {
            Err(Error::PinLocked) => return Err(Error::PinLocked),
            Ok(()) => (),
            Err(_) if self.wrong_pins() >= right.tries() => return Err(Error::PinLocked),
            Err(_) => (),
        }
        self.wrong_pins.fetch_add(1, Ordering::AcqRel);
        if !right.is(pin) {
            return Err(Error::PinIncorrect);
        }
        self.wrong_pins.store(0, Ordering::Release);
        if counted.is_ok() {
            self.store().update(|contents| {
                contents.set_pin_tries(&self.serial, 0);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// What C_GetTokenInfo tells about the PIN.
    pub(crate) fn pin_flags(&self) -> CK_FLAGS {
        let Some(pin) = &self.policy.pin else { return 0 };
        let tries = self.wrong_pins();
        let mut flags = CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED;
        if tries > 0 {
            flags |= CKF_USER_PIN_COUNT_LOW;
        }
        if tries >= pin.tries() {
            flags |= CKF_USER_PIN_LOCKED;
        } else if tries + 1 == pin.tries() {
            flags |= CKF_USER_PIN_FINAL_TRY;
        }
        flags
    }

    fn wrong_pins(&self) -> u32 {
        let stored = self.store().contents().map_or(0, |contents| contents.pin_tries(&self.serial));
        stored.max(self.wrong_pins.load(Ordering::Acquire))
    }
}
