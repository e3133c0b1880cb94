//! Signing (section 5.11).

use atecc::Slot;
use cryptoki_sys::{CK_MECHANISM_TYPE, CK_OBJECT_HANDLE};

use super::{Session, message::Message};
use crate::{
    error::Error,
    mechanism::Mechanism,
    object::Key,
    output::{Answer, Offer},
};

/// An active signature operation.
pub(super) struct Sign {
    message: Message,
    slot: Slot,
}

/// Bytes of R and S.
const LENGTH: usize = 64;

impl Session {
    /// C_SignInit.
    pub(crate) fn sign_init(
        &self,
        mechanism: CK_MECHANISM_TYPE,
        parameter: usize,
        key: CK_OBJECT_HANDLE,
    ) -> Result<(), Error> {
        self.operations().sign.begin(|| {
            let message = Message::new(Mechanism::parse(mechanism, parameter)?)?;
            match self.token.key(key)? {
                Key::Private(slot) => Ok(Sign { message, slot }),
                Key::Public(_) => Err(Error::KeyFunctionNotPermitted),
            }
        })
    }

    /// C_Sign: the data and the offer for R and S. Arguments that are wrong end the operation as well.
    pub(crate) fn sign(
        &self,
        arguments: Result<(&[u8], Offer), Error>,
    ) -> Result<Answer<[u8; LENGTH]>, Error> {
        self.operations().sign.finish(|sign| {
            let (data, offer) = arguments?;
            offer.fit(LENGTH, || self.token.sign(sign.slot, &sign.message.whole(data)?))
        })
    }

    /// C_SignUpdate.
    pub(crate) fn sign_update(&self, part: Result<&[u8], Error>) -> Result<(), Error> {
        self.operations().sign.go_on(|sign| sign.message.update(part?))
    }

    /// C_SignFinal.
    pub(crate) fn sign_final(&self, offer: Result<Offer, Error>) -> Result<Answer<[u8; LENGTH]>, Error> {
        self.operations().sign.finish(|sign| {
            let digest = sign.message.end()?;
            offer?.fit(LENGTH, || self.token.sign(sign.slot, &digest))
        })
    }
}
