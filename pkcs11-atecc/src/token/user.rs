//! Who is logged in, and what only they may see.

use std::sync::atomic::Ordering;

use cryptoki_sys::*;

use super::{Token, locked};
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

    /// What C_Login and C_Logout decided. With the user go the session objects that only the user may see (section
    /// 5.6.9).
    pub(crate) fn set_user(&self, is_logged_in: bool) {
        self.is_user_logged_in.store(is_logged_in, Ordering::Release);
        if !is_logged_in && self.requires_login() {
            self.created().destroy_private();
        }
    }

    /// C_Login. Where no PIN is configured, none and any is right: clients that insist on one may send what they
    /// like.
    ///
    /// Tries are made one after the other, by all processes that can write the store, and a wrong one is counted
    /// before anybody hears of it: nobody gets more tries by asking at the same time or anew, and none that are
    /// right at the same time count as wrong.
    pub(crate) fn check_pin(&self, pin: Result<&[u8], Error>) -> Result<(), Error> {
        let Some(right) = &self.policy.pin else { return Ok(()) };
        let pin = pin?;
        // Who has no PIN to give does not guess.
        if pin.is_empty() {
            return Err(Error::PinIncorrect);
        }
        let mut uncounted = locked(&self.uncounted_pins);
        let mut tried = None;
        let counted = self.store().update(|contents| {
            let wrong = contents.pin_tries(&self.serial).saturating_add(*uncounted);
            let result = right.check(pin, wrong);
            contents.set_pin_tries(&self.serial, wrong_after(&result, wrong));
            tried = Some(result);
            Ok(())
        });
        let result = match (tried, &counted) {
            (Some(result), _) => result,
            (None, Err(Error::TokenWriteProtected)) => {
                let stored = self.store().contents().map_or(0, |contents| contents.pin_tries(&self.serial));
                right.check(pin, stored.saturating_add(*uncounted))
            }
            // A queue that is too long, or a store that nobody understands, gives no free tries.
            (None, Err(error)) => Err(*error),
            (None, Ok(())) => Err(Error::FunctionFailed),
        };
        // What the store cannot keep counts in this process.
        *uncounted = if counted.is_ok() { 0 } else { wrong_after(&result, *uncounted) };
        result
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
        stored.saturating_add(*locked(&self.uncounted_pins))
    }
}

/// How many wrong PINs in a row there are after this try.
fn wrong_after(tried: &Result<(), Error>, wrong: u32) -> u32 {
    match tried {
        Ok(()) => 0,
        Err(Error::PinIncorrect) => wrong.saturating_add(1),
        Err(_) => wrong,
    }
}
