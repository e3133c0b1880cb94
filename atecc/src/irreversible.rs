//! Consent to what the chip cannot take back.
//!
//! A call that destroys or fixes something for ever asks for an [`Irreversible`] that names its consequence.
//! There is one way to make one, so a search for `i_understand` finds each place that can do harm:
//!
//! ```
//! use atecc::{
//!     Device, Error, PublicKey, Slot, Transport,
//!     irreversible::{Irreversible, OverwritesKey},
//! };
//!
//! fn renew<T: Transport>(chip: &mut Device<T>, slot: Slot) -> Result<PublicKey, Error<T::Error>> {
//!     chip.generate_key(slot, Irreversible::i_understand(OverwritesKey))
//! }
//! ```

use core::fmt;

/// The caller's consent to the consequence `C`. It is used up by the call that it is given to.
pub struct Irreversible<C>(C);

impl<C: Consequence> Irreversible<C> {
    /// Consent to `consequence`, whose text says what will happen.
    pub const fn i_understand(consequence: C) -> Self {
        Self(consequence)
    }
}

impl<C: Consequence> fmt::Debug for Irreversible<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Irreversible({})", C::TEXT)
    }
}

/// Something that a command does once and for all.
pub trait Consequence: sealed::Sealed {
    /// What happens, in a sentence for whoever is asked whether it shall.
    const TEXT: &'static str;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! consequences {
    ($($(#[$doc:meta])* $name:ident: $text:literal;)*) => {$(
        $(#[$doc])*
        #[doc = ""]
        #[doc = concat!("\"", $text, "\"")]
        #[derive(Debug)]
        pub struct $name;

        impl sealed::Sealed for $name {}

        impl Consequence for $name {
            const TEXT: &'static str = $text;
        }
    )*};
}

consequences! {
    /// GenKey, PrivWrite, DeriveKey, ECDH and KDF into a slot.
    OverwritesKey: "the key that is in the slot now is destroyed; nothing brings it back";
    /// Write, SecureBoot with a copy to the slot.
    OverwritesData: "what is in the slot now is overwritten; the chip keeps no copy of it";
    /// Lock of the configuration zone (section 5.1.3).
    LocksConfigurationZone: "the configuration zone is locked for ever; its access rules never change again";
    /// Lock of the data and OTP zones (section 5.1.3).
    LocksDataZone: "the data and OTP zones are locked for ever; only the slots' own rules allow writes after it";
    /// Lock of one slot (section 5.1.3.1).
    LocksSlot: "the slot is locked for ever; its content can never change again";
    /// Counter, increment mode (section 5.1.1).
    IncrementsCounter: "the monotonic counter moves on by one; it never goes back and ends at 2097151";
    /// UpdateExtra (section 5.1.9).
    SetsByteForEver: "the byte is set for ever; the second of the two may change the chip's I2C address";
    /// Verify, validate and invalidate modes (TFLXTLS, DS40002138A, section 5.2.5.3).
    ChangesValidity: "the stored public key becomes usable, or useless until its authority signs again";
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn consent_prints_what_it_is_to() {
        let consent = Irreversible::i_understand(LocksSlot);
        assert!(std::format!("{consent:?}").contains("locked for ever"));
    }
}
