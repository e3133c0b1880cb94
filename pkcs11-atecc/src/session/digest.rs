//! Hashing (section 5.10), on the host.

use cryptoki_sys::CK_OBJECT_HANDLE;

use super::Session;
use crate::{
    error::Error,
    hash::{Hash, Hasher},
    mechanism::{Mechanism, Request},
    object::{Key, SecretKey},
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
    pub(crate) fn digest_init(&self, request: &Request<'_>) -> Result<(), Error> {
        self.operations().digest.begin(|| match request.mechanism()? {
            (Mechanism::Digest(hash), _) => Ok(Digesting { hash, hasher: hash.hasher(), in_parts: false }),
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

    /// C_DigestKey: a secret key on the host; no other has a value that could be hashed.
    pub(crate) fn digest_key(&self, key: CK_OBJECT_HANDLE) -> Result<(), Error> {
        self.operations().digest.go_on(|digesting| match self.token.key(key)?.key()? {
            Key::Secret(SecretKey::Host(key)) => {
                digesting.in_parts = true;
                digesting.hasher.update(key.as_bytes());
                Ok(())
            }
            _ => Err(Error::KeyIndigestible),
        })
    }

    /// C_DigestFinal.
    pub(crate) fn digest_final(&self, offer: Result<Offer, Error>) -> Result<Answer<Vec<u8>>, Error> {
        self.operations()
            .digest
            .finish(|digesting| offer?.fit(digesting.hash.length(), || Ok(digesting.hasher.digest())))
    }
}
