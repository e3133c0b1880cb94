//! A key in a PEM file: for machines without a chip.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::sign::SigningKey;

use crate::scheme::PublicKey;
use crate::{Error, Sign};

pub(super) struct FileKey {
    file: PathBuf,
    key: Arc<dyn SigningKey>,
}

impl FileKey {
    /// Reads the first private key of a PEM file: PKCS#8, SEC1 or PKCS#1.
    pub(super) fn open(file: &Path) -> Result<(Self, PublicKey), Error> {
        let unusable = |problem: String| Error::KeyFile { file: file.to_owned(), problem };
        let pem = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
        let (key, public) = read(&pem).map_err(unusable)?;
        warn_of_others(file);
        Ok((Self { file: file.to_owned(), key }, public))
    }
}

/// The first private key of a PEM text: PKCS#8, SEC1 or PKCS#1. The error says what is wrong with it.
pub(super) fn read(pem: &[u8]) -> Result<(Arc<dyn SigningKey>, PublicKey), String> {
    if contains(pem, b"BEGIN ENCRYPTED PRIVATE KEY") || contains(pem, b"Proc-Type: 4,ENCRYPTED") {
        let problem = "it is encrypted, and a daemon has nobody to ask for the password; write it without one (openssl pkey), readable by the agent's user only, or use a token";
        return Err(problem.to_owned());
    }
    let der = PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => "it contains no private key in PEM form".to_owned(),
        error => error.to_string(),
    })?;
    let unknown = "it is no key that is supported: P-256, P-384, RSA of 2048 bits or more, Ed25519";
    let key = any_supported_type(&der).map_err(|_| unknown.to_owned())?;
    let public = key.public_key().and_then(|info| PublicKey::from_info(&info));
    let public = public.ok_or_else(|| unknown.to_owned())?;
    Ok((key, public))
}

/// Whoever can read the file can be this machine, for ever and from anywhere.
fn warn_of_others(file: &Path) {
    if let Ok(metadata) = std::fs::metadata(file)
        && metadata.mode() & 0o077 != 0
    {
        let mode = format!("{:04o}", metadata.mode() & 0o7777);
        tracing::warn!(file = %file.display(), mode, "others may read this private key; chmod 0600 it");
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

impl Sign for FileKey {
    fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signer = self.key.choose_scheme(&[scheme]);
        let signer = signer.ok_or_else(|| Error::Scheme { holder: self.to_string(), scheme })?;
        let failed =
            |error: rustls::Error| Error::KeyFile { file: self.file.clone(), problem: error.to_string() };
        signer.sign(message).map_err(failed)
    }

    fn certificates(&self) -> Result<Vec<Vec<u8>>, Error> {
        let damaged = |problem: String| Error::CertificateFile { file: self.file.clone(), problem };
        CertificateDer::pem_file_iter(&self.file)
            .and_then(|certificates| certificates.map(|each| each.map(|der| der.to_vec())).collect())
            .map_err(|error| damaged(error.to_string()))
    }

    fn model(&self) -> String {
        "file".to_owned()
    }
}

impl fmt::Display for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the file {}", self.file.display())
    }
}
