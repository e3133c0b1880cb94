//! Hashing (section 5.10), on the host.

use cryptoki_sys::{CK_MECHANISM_TYPE, CK_OBJECT_HANDLE};

use super::Session;
use crate::{
    error::Error,
    hash::{Hash, Hasher},
    mechanism::Mechanism,
    output::{Answer, Offer},
};

/// An active message-digesting operation.
pub(super) struct Digesting {
    hash: Hash,
    hasher: Hasher,
    /// Whether a part has come, so that only C_DigestFinal can end the operation.
    in_parts: bool,
}

impl Session {
    /// C_DigestInit.
    pub(crate) fn digest_init(&self, mechanism: CK_MECHANISM_TYPE, parameter: usize) -> Result<(), Error> {
        self.operations().digest.begin(|| match Mechanism::parse(mechanism, parameter)? {
            Mechanism::Digest(hash) => Ok(Digesting { hash, hasher: hash.hasher(), in_parts: false }),
            _ => Err(Error::MechanismInvalid),
        })
    }

    /// C_Digest: the data and the offer for the digest.
    pub(crate) fn digest(&self, arguments: Result<(&[u8], Offer), Error>) -> Result<Answer<Vec<u8>>, Error> {
        self.operations().digest.finish(|digesting| {
            let (data, offer) = arguments?;
            if digesting.in_parts {
                return Err(Error::OperationActive);
            }
            offer.fit(digesting.hash.length(), || {
                let mut hasher = digesting.hasher.clone();
                hasher.update(data);
                Ok(hasher.digest())
            })
        })
    }

    /// C_DigestUpdate.
    pub(crate) fn digest_update(&self, part: Result<&[u8], Error>) -> Result<(), Error> {
        self.operations().digest.go_on(|digesting| {
            digesting.in_parts = true;
            digesting.hasher.update(part?);
            Ok(())
        })
    }

    /// C_DigestKey: there are no secret keys yet, and no other key has a value that could be hashed.
    pub(crate) fn digest_key(&self, key: CK_OBJECT_HANDLE) -> Result<(), Error> {
        self.operations().digest.go_on(|_| self.token.key(key).and(Err(Error::KeyIndigestible)))
    }

    /// C_DigestFinal.
    pub(crate) fn digest_final(&self, offer: Result<Offer, Error>) -> Result<Answer<Vec<u8>>, Error> {
        self.operations()
            .digest
            .finish(|digesting| offer?.fit(digesting.hash.length(), || Ok(digesting.hasher.digest())))
    }
}
