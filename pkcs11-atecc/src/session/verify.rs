//! Verifying signatures (section 5.12), on the host: a public key needs no chip.

use atecc::{PublicKey, Signature};
use cryptoki_sys::{CK_MECHANISM_TYPE, CK_OBJECT_HANDLE};

use super::Session;
use crate::{error::Error, mechanism::Mechanism, object::Key};

/// An active verification operation.
pub(super) struct Verify {
    mechanism: Mechanism,
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
            let mechanism = Mechanism::parse(mechanism, parameter)?;
            match self.token.objects()?.key(key)? {
                Key::Public(key) => Ok(Verify { mechanism, key }),
                Key::Private(_) => Err(Error::KeyFunctionNotPermitted),
            }
        })
    }

    /// C_Verify: the data and the signature. Whatever comes out, the operation is over.
    pub(crate) fn verify(&self, arguments: Result<(&[u8], &[u8]), Error>) -> Result<(), Error> {
        let Verify { mechanism, key } = self.operations().verify.end()?;
        let (data, signature) = arguments?;
        let digest = mechanism.digest(data)?;
        let signature = signature.try_into().map_err(|_| Error::SignatureLenRange)?;
        if key.verify(&digest, &Signature::from_bytes(signature)) {
            Ok(())
        } else {
            Err(Error::SignatureInvalid)
        }
    }

    /// C_VerifyUpdate and C_VerifyFinal: CKM_ECDSA verifies in a single part only.
    pub(crate) fn verify_part(&self) -> Result<(), Error> {
        self.operations().verify.end()?;
        Err(Error::FunctionNotSupported)
    }
}
