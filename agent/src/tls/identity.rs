//! Who we are towards the server: a certificate chain, and a key that somebody else keeps.

use std::sync::Arc;

use atecc_token::Token;
use rustls::pki_types::CertificateDer;

use super::Error;

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
