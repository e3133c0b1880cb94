//! Verifying signatures (section 5.12), on the host: a public key needs no chip.

use atecc::{Digest, PublicKey, Signature};
use cryptoki_sys::{CK_MECHANISM_TYPE, CK_OBJECT_HANDLE};

use super::{Session, message::Message};
use crate::{error::Error, mechanism::Mechanism, object::Key};

/// An active verification operation.
pub(super) struct Verify {
    message: Message,
    key: PublicKey,
}

impl Session {
    /// C_VerifyInit.
    pub(crate) fn verify_init(
        &self,
        mechanism: CK_MECHANISM_TYPE,
        parameter: usize,
        key: CK_OBJECT_HANDLE,
    ) -> Result<(), Error> {
        self.operations().verify.begin(|| {
            let message = Message::new(Mechanism::parse(mechanism, parameter)?)?;
            match self.token.key(key)? {
                Key::Public(key) => Ok(Verify { message, key }),
                Key::Private(_) => Err(Error::KeyFunctionNotPermitted),
            }
        })
    }

    /// C_Verify: the data and the signature. Whatever comes out, the operation is over.
    pub(crate) fn verify(&self, arguments: Result<(&[u8], &[u8]), Error>) -> Result<(), Error> {
        let Verify { message, key } = self.operations().verify.end()?;
        let (data, signature) = arguments?;
        check(key, &message.whole(data)?, signature)
    }

    /// C_VerifyUpdate.
    pub(crate) fn verify_update(&self, part: Result<&[u8], Error>) -> Result<(), Error> {
        self.operations().verify.go_on(|verify| verify.message.update(part?))
    }

    /// C_VerifyFinal. Whatever comes out, the operation is over.
    pub(crate) fn verify_final(&self, signature: Result<&[u8], Error>) -> Result<(), Error> {
        let Verify { message, key } = self.operations().verify.end()?;
        check(key, &message.end()?, signature?)
    }
}

fn check(key: PublicKey, digest: &Digest, signature: &[u8]) -> Result<(), Error> {
    let signature = signature.try_into().map_err(|_| Error::SignatureLenRange)?;
    if key.verify(digest, &Signature::from_bytes(signature)) { Ok(()) } else { Err(Error::SignatureInvalid) }
}
