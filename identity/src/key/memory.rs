//! A key that somebody handed over and that is in no file of ours.

use std::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::sign::SigningKey;

use super::file;
use crate::scheme::PublicKey;
use crate::{Error, Sign};

pub(super) struct MemoryKey {
    name: String,
    key: Arc<dyn SigningKey>,
}

impl MemoryKey {
    pub(super) fn read(pem: &str, name: &str) -> Result<(Self, PublicKey), Error> {
        let unusable = |problem: String| Error::KeyFile { file: name.into(), problem };
        let (key, public) = file::read(pem.as_bytes()).map_err(unusable)?;
        Ok((Self { name: name.to_owned(), key }, public))
    }
}

impl Sign for MemoryKey {
    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signer = self.key.choose_scheme(&[scheme]);
        let signer = signer.ok_or_else(|| Error::Scheme { holder: self.to_string(), scheme })?;
        let failed = |error: rustls::Error| Error::KeyFile {
            file: self.name.clone().into(),
            problem: error.to_string(),
        };
        signer.sign(message).map_err(failed)
    }

    fn model(&self) -> String {
        "memory".to_owned()
    }
}

impl fmt::Display for MemoryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
