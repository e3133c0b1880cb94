//! A log signer with its private key.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use base64ct::{Base64UrlUnpadded, Encoding};
use p256::{
    SecretKey,
    ecdsa::{Signature, SigningKey, signature::Signer},
    pkcs8::DecodePrivateKey,
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::super::{error::ManifestError, source, x509::Parsed};
use crate::error::Error;

/// Signs entries.
pub(super) struct LogKey {
    key: SigningKey,
    /// The organization in its certificate.
    pub(super) organization: String,
    /// The common name in its certificate.
    pub(super) name: String,
    key_identifier: Vec<u8>,
    fingerprint: [u8; 32],
}

impl LogKey {
    /// Reads key and certificate, which must belong together.
    pub(super) fn read(key: &Path, certificate: &Path) -> Result<Self, Error> {
        let der = source::certificate(certificate)?;
        let parsed = Parsed::new(&der)
            .map_err(|problem| ManifestError::Certificate { path: certificate.into(), problem })?;
        let signing_key = read_key(key)?;
        let point = signing_key.verifying_key().to_sec1_point(false);
        if point.as_bytes().get(1..) != Some(&parsed.coordinates[..]) {
            return Err(ManifestError::OtherKey { certificate: certificate.into(), key: key.into() }.into());
        }
        let name = parsed.common_name().unwrap_or_else(|| "Log Signer".into());
        Ok(Self {
            key: signing_key,
            organization: parsed.organization().unwrap_or_else(|| name.clone()),
            name,
            key_identifier: parsed.key_identifier(),
            fingerprint: Sha256::digest(&der).into(),
        })
    }

    /// The protected header, JSON.
    pub(super) fn protected_header(&self) -> String {
        let kid = Base64UrlUnpadded::encode_string(&self.key_identifier);
        let fingerprint = Base64UrlUnpadded::encode_string(&self.fingerprint);
        format!(r#"{{"typ":"JWT","alg":"ES256","kid":"{kid}","x5t#S256":"{fingerprint}"}}"#)
    }

    /// R and S in base64url (RFC 7518, section 3.4). The same message has the same signature (RFC 6979).
    pub(super) fn sign(&self, message: &[u8]) -> Result<String, Error> {
        let signature: Signature = self.key.try_sign(message).map_err(|_| ManifestError::Signing)?;
        Ok(Base64UrlUnpadded::encode_string(&signature.to_bytes()))
    }
}

/// PKCS#8, or the older form of SEC 1 with or without the curve's name in front.
fn read_key(path: &Path) -> Result<SigningKey, Error> {
    let unreadable = |source| Error::InputFile { path: path.into(), source };
    let pem = Zeroizing::new(fs::read_to_string(path).map_err(unreadable)?);
    if fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o077 != 0 {
        eprintln!("atecc: others can read the key in {0}; `chmod 600 {0}` ends that", path.display());
    }
    let sec1 = pem.find("-----BEGIN EC PRIVATE KEY-----").and_then(|start| pem.get(start..));
    let key = match sec1 {
        Some(pem) => SecretKey::from_sec1_pem(pem).ok(),
        None => SecretKey::from_pkcs8_pem(&pem).ok(),
    };
    Ok(key.map(SigningKey::from).ok_or_else(|| ManifestError::NotAKey { path: path.into() })?)
}
