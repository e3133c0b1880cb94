//! Signing (section 5.11).

use atecc::Slot;
use cryptoki_sys::{CK_OBJECT_HANDLE, CKA_SIGN};

use super::{Session, mac::Mac, message::Message};
use crate::{
    error::Error,
    mechanism::{Mechanism, Request},
    object::Key,
    output::{Answer, Offer},
};

/// An active signature operation.
pub(super) enum Sign {
    /// By the chip, over a digest.
    Ecdsa { message: Message, slot: Slot },
    /// With a secret key.
    Mac(Mac),
}

/// Bytes of R and S.
const ECDSA: usize = 64;

impl Session {
    /// C_SignInit.
    pub(crate) fn sign_init(&self, request: &Request<'_>, key: CK_OBJECT_HANDLE) -> Result<(), Error> {
        self.operations().sign.begin(|| {
            let (mechanism, parameter) = request.mechanism()?;
            match mechanism {
                Mechanism::Ecdsa | Mechanism::EcdsaWith(_) => {
                    let message = Message::new(mechanism)?;
                    match self.token.key_for(key, CKA_SIGN)?.key()? {
                        Key::Private { slot } => Ok(Sign::Ecdsa { message, slot: *slot }),
                        Key::Public(_) => Err(Error::KeyFunctionNotPermitted),
                        Key::Secret(_) => Err(Error::KeyTypeInconsistent),
                    }
                }
                Mechanism::Hmac(_) | Mechanism::Cmac(_) => {
                    let key = self.token.key_for(key, CKA_SIGN)?;
                    Mac::new(mechanism, parameter, &key).map(Sign::Mac)
                }
                _ => Err(Error::MechanismInvalid),
            }
        })
    }

    /// C_Sign: the data and the offer for the signature. Arguments that are wrong end the operation as well.
    pub(crate) fn sign(&self, arguments: Result<(&[u8], Offer), Error>) -> Result<Answer<Vec<u8>>, Error> {
        self.operations().sign.finish(|sign| {
            let (data, offer) = arguments?;
            match sign {
                Sign::Ecdsa { message, slot } => {
                    offer.fit(ECDSA, || Ok(self.token.sign(*slot, &message.whole(data)?)?.to_vec()))
                }
                Sign::Mac(mac) => offer.fit(mac.length(), || mac.whole(&self.token, data)),
            }
        })
    }

    /// C_SignUpdate.
    pub(crate) fn sign_update(&self, part: Result<&[u8], Error>) -> Result<(), Error> {
        self.operations().sign.go_on(|sign| match sign {
            Sign::Ecdsa { message, .. } => message.update(part?),
            Sign::Mac(mac) => mac.update(part?),
        })
    }

    /// C_SignFinal.
    pub(crate) fn sign_final(&self, offer: Result<Offer, Error>) -> Result<Answer<Vec<u8>>, Error> {
        self.operations().sign.finish(|sign| match sign {
            Sign::Ecdsa { message, slot } => {
                let digest = message.end()?;
                offer?.fit(ECDSA, || Ok(self.token.sign(*slot, &digest)?.to_vec()))
            }
            Sign::Mac(mac) => offer?.fit(mac.length(), || mac.end(&self.token)),
        })
    }
}
