//! Signing (section 5.11).

use atecc::Slot;
use cryptoki_sys::{CK_MECHANISM_TYPE, CK_OBJECT_HANDLE};

use super::Session;
use crate::{
    error::Error,
    mechanism::Mechanism,
    object::Key,
    output::{Answer, Offer},
};

/// An active signature operation.
pub(super) struct Sign {
    mechanism: Mechanism,
    slot: Slot,
}

impl Session {
    /// C_SignInit.
    pub(crate) fn sign_init(
        &self,
        mechanism: CK_MECHANISM_TYPE,
        parameter: usize,
        key: CK_OBJECT_HANDLE,
    ) -> Result<(), Error> {
        self.operations().sign.begin(|| {
            let mechanism = Mechanism::parse(mechanism, parameter)?;
            match self.token.objects()?.key(key)? {
                Key::Private(slot) => Ok(Sign { mechanism, slot }),
                Key::Public(_) => Err(Error::KeyFunctionNotPermitted),
            }
        })
    }

    /// C_Sign: the data and the offer for R and S. Arguments that are wrong end the operation as well.
    pub(crate) fn sign(&self, arguments: Result<(&[u8], Offer), Error>) -> Result<Answer<[u8; 64]>, Error> {
        self.operations().sign.finish(|sign| {
            let (data, offer) = arguments?;
            offer.fit(64, || self.token.sign(sign.slot, &sign.mechanism.digest(data)?))
        })
    }

    /// C_SignUpdate and C_SignFinal: CKM_ECDSA signs in a single part only (mechanisms, section 2.3.6).
    pub(crate) fn sign_part(&self) -> Result<(), Error> {
        self.operations().sign.end()?;
        Err(Error::FunctionNotSupported)
    }
}
