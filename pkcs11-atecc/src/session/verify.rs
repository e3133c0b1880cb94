//! Verifying signatures (section 5.12): on the host, which needs no chip for a public key.

use atecc::{Digest, PublicKey, Signature};
use cryptoki_sys::{CK_OBJECT_HANDLE, CKA_VERIFY};

use super::{
    Session,
    mac::{self, Mac},
    message::Message,
};
use crate::{
    error::Error,
    mechanism::{Mechanism, Request},
    object::Key,
};

/// An active verification operation.
pub(super) enum Verify {
    Ecdsa { message: Message, key: PublicKey },
    Mac(Mac),
}

impl Session {
    /// C_VerifyInit.
    pub(crate) fn verify_init(&self, request: &Request<'_>, key: CK_OBJECT_HANDLE) -> Result<(), Error> {
        self.operations().verify.begin(|| {
            let (mechanism, parameter) = request.mechanism()?;
            match mechanism {
                Mechanism::Ecdsa | Mechanism::EcdsaWith(_) => {
                    let message = Message::new(mechanism)?;
                    match self.token.key_for(key, CKA_VERIFY)?.key()? {
                        Key::Public(key) => Ok(Verify::Ecdsa { message, key: *key }),
                        Key::Private { .. } => Err(Error::KeyFunctionNotPermitted),
                        Key::Secret(_) => Err(Error::KeyTypeInconsistent),
                    }
                }
                Mechanism::Hmac(_) | Mechanism::Cmac(_) => {
                    let key = self.token.key_for(key, CKA_VERIFY)?;
                    Mac::new(mechanism, parameter, &key).map(Verify::Mac)
                }
                _ => Err(Error::MechanismInvalid),
            }
        })
    }

    /// C_Verify: the data and the signature. Whatever comes out, the operation is over.
    pub(crate) fn verify(&self, arguments: Result<(&[u8], &[u8]), Error>) -> Result<(), Error> {
        let verify = self.operations().verify.end()?;
        let (data, signature) = arguments?;
        match verify {
            Verify::Ecdsa { message, key } => check(key, &message.whole(data)?, signature),
            Verify::Mac(mac) => mac::check(&mac.whole(&self.token, data)?, signature),
        }
    }

    /// C_VerifyUpdate.
    pub(crate) fn verify_update(&self, part: Result<&[u8], Error>) -> Result<(), Error> {
        self.operations().verify.go_on(|verify| match verify {
            Verify::Ecdsa { message, .. } => message.update(part?),
            Verify::Mac(mac) => mac.update(part?),
        })
    }

    /// C_VerifyFinal. Whatever comes out, the operation is over.
    pub(crate) fn verify_final(&self, signature: Result<&[u8], Error>) -> Result<(), Error> {
        match self.operations().verify.end()? {
            Verify::Ecdsa { message, key } => check(key, &message.end()?, signature?),
            Verify::Mac(mac) => mac::check(&mac.end(&self.token)?, signature?),
        }
    }
}

fn check(key: PublicKey, digest: &Digest, signature: &[u8]) -> Result<(), Error> {
    let signature = signature.try_into().map_err(|_| Error::SignatureLenRange)?;
    if key.verify(digest, &Signature::from_bytes(signature)) { Ok(()) } else { Err(Error::SignatureInvalid) }
}
