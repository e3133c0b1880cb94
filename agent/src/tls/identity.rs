//! Who we are towards the server: a certificate chain, and a key that somebody else keeps.

use std::path::Path;
use std::sync::Arc;

use atecc_token::Token;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::server::ParsedCertificate;

use super::Error;

/// What stands before a point on P-256 in SubjectPublicKeyInfo (RFC 5480, section 2).
const P256_KEY_INFO: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A P-256 private key that signs digests and shows nothing else.
///
/// The seam between TLS and whatever holds the key. A call may block for as long as a chip needs (60 to
/// 120 ms, more behind a serial line), so it is only made on the thread of the MQTT link.
pub trait Key: Send + Sync {
    /// Signs the SHA-256 `digest`; R then S, 32 bytes each.
    ///
    /// # Errors
    /// What the holder of the key says; it ends up in the log behind "the chip could not sign".
    fn sign(&self, digest: &[u8; 32]) -> Result<[u8; 64], Box<dyn std::error::Error + Send + Sync>>;
}

/// A certificate chain, leaf first, with the key of the leaf.
#[derive(Clone)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<dyn Key>,
}

impl Identity {
    /// `chain` (DER, leaf first) with the key of its leaf.
    pub fn new(chain: Vec<Vec<u8>>, key: Arc<dyn Key>) -> Self {
        Self { chain: chain.into_iter().map(CertificateDer::from).collect(), key }
    }

    /// The chip's device and signer certificate with the key in slot 0.
    ///
    /// The signer travels too: AWS needs it when the signer, not the device, is what is registered there, and
    /// other servers need it to build the path to the root.
    ///
    /// # Errors
    /// When the chip's certificates cannot be read.
    pub fn of_token(token: &Arc<Token>) -> Result<Self, Error> {
        let certificates = token.certificates().map_err(Error::Certificates)?;
        let chain = vec![certificates.device.to_vec(), certificates.signer.to_vec()];
        Ok(Self::new(chain, Arc::new(Slot0(token.clone()))))
    }

    /// The certificates of a PEM file, leaf first, with the key in slot 0.
    ///
    /// # Errors
    /// When the file is no such chain, its first certificate is for another key, or the chip does not answer.
    pub fn from_file(file: &Path, token: &Arc<Token>) -> Result<Self, Error> {
        let unusable = |problem: String| Error::CertificateFile { file: file.to_owned(), problem };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect)
            .map_err(|error| unusable(error.to_string()))?;
        let leaf = chain
            .first()
            .ok_or_else(|| unusable("it contains no `-----BEGIN CERTIFICATE-----`".to_owned()))?;
        let leaf = ParsedCertificate::try_from(leaf).map_err(|error| unusable(error.to_string()))?;
        let key = token.public_key(atecc::Slot::PRIMARY_KEY).map_err(Error::PublicKey)?;
        if leaf.subject_public_key_info().as_ref() != [&P256_KEY_INFO[..], &key.to_sec1()].concat() {
            return Err(unusable("its first certificate is not for the key in this chip".to_owned()));
        }
        Ok(Self { chain, key: Arc::new(Slot0(token.clone())) })
    }

    /// The chain, leaf first.
    pub(super) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The key of the leaf.
    pub(super) fn key(&self) -> Arc<dyn Key> {
        self.key.clone()
    }
}

struct Slot0(Arc<Token>);

impl Key for Slot0 {
    fn sign(&self, digest: &[u8; 32]) -> Result<[u8; 64], Box<dyn std::error::Error + Send + Sync>> {
        Ok(*self.0.sign(atecc::Slot::PRIMARY_KEY, digest)?.as_bytes())
    }
}
