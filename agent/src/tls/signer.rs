//! The key as rustls wants it.

use std::fmt;
use std::sync::Arc;

use atecc::Signature;
use rustls::client::ResolvesClientCert;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{OtherError, SignatureAlgorithm, SignatureScheme};
use sha2::{Digest, Sha256};

use super::{Error, Identity, Key};

/// Offers the same certificate to every server that accepts its kind of signature.
#[derive(Debug)]
pub(super) struct Resolver(Arc<CertifiedKey>);

impl Resolver {
    pub(super) fn new(identity: &Identity) -> Self {
        let key = Arc::new(RemoteKey(identity.key()));
        Self(Arc::new(CertifiedKey::new(identity.chain().to_vec(), key)))
    }
}

impl ResolvesClientCert for Resolver {
    // The server's hints are the names of its roots. Brokers send names of what they trust at the end of the
    // path, or none at all, so leaving the certificate out because of them only hides the real reason.
    fn resolve(&self, _hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        schemes.contains(&SCHEME).then(|| self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

const SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;

struct RemoteKey(Arc<dyn Key>);

impl SigningKey for RemoteKey {
    // Called once per offered list and often for nothing: the chip must not notice.
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SCHEME).then(|| Box::new(RemoteKey(self.0.clone())) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for RemoteKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let digest = Sha256::digest(message);
        match self.0.sign(&digest.into()) {
            Ok(r_s) => Ok(Signature::from_bytes(r_s).to_der().to_vec()),
            Err(error) => Err(rustls::Error::Other(OtherError(Arc::new(Error::Sign(error))))),
        }
    }

    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }
}

impl fmt::Debug for RemoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RemoteKey([held elsewhere])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken;

    impl Key for Broken {
        fn sign(&self, _: &[u8; 32]) -> Result<[u8; 64], Box<dyn std::error::Error + Send + Sync>> {
            Err("the chip does not answer".into())
        }
    }

    #[test]
    fn only_p256_with_sha256_is_offered() {
        let key = RemoteKey(Arc::new(Broken));
        assert!(key.choose_scheme(&[SignatureScheme::ED25519, SignatureScheme::RSA_PSS_SHA256]).is_none());
        assert!(key.choose_scheme(&[SignatureScheme::ED25519, SCHEME]).is_some());
    }

    #[test]
    fn a_failed_signature_keeps_its_reason() {
        let key = RemoteKey(Arc::new(Broken));
        let error = key.sign(b"message").unwrap_err();
        assert!(error.to_string().contains("the chip does not answer"), "{error}");
    }

    #[test]
    fn the_key_prints_nothing_of_itself() {
        assert_eq!(format!("{:?}", RemoteKey(Arc::new(Broken))), "RemoteKey([held elsewhere])");
    }
}
