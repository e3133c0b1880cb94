//! The key as rustls wants it.

use std::fmt;
use std::sync::Arc;

use identity::Identity;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{OtherError, SignatureAlgorithm, SignatureScheme};

use super::Error;

/// Offers the same certificate to every server that accepts its kind of signature.
#[derive(Debug)]
pub(super) struct Resolver(Arc<CertifiedKey>);

impl Resolver {
    pub(super) fn new(identity: &Identity) -> Self {
        let chain = identity.chain().iter().map(|der| CertificateDer::from(der.clone())).collect();
        Self(Arc::new(CertifiedKey::new(chain, Arc::new(RemoteKey(identity.clone())))))
    }
}

impl ResolvesClientCert for Resolver {
    // The server's hints are the names of its roots. Brokers send names of what they trust at the end of the
    // path, or none at all, so leaving the certificate out because of them only hides the real reason.
    fn resolve(&self, _hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.key.choose_scheme(schemes).map(|_| self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

struct RemoteKey(Identity);

impl SigningKey for RemoteKey {
    // Called once per offered list and often for nothing: the key must not notice.
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let scheme = *self.0.schemes().iter().find(|scheme| offered.contains(scheme))?;
        Some(Box::new(RemoteSigner { identity: self.0.clone(), scheme }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        use SignatureScheme::{ECDSA_NISTP256_SHA256, ECDSA_NISTP384_SHA384, ED25519};
        match self.0.schemes() {
            [ECDSA_NISTP256_SHA256 | ECDSA_NISTP384_SHA384, ..] => SignatureAlgorithm::ECDSA,
            [ED25519, ..] => SignatureAlgorithm::ED25519,
            _ => SignatureAlgorithm::RSA,
        }
    }
}

/// One signature of one kind.
struct RemoteSigner {
    identity: Identity,
    scheme: SignatureScheme,
}

impl Signer for RemoteSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signed = self.identity.sign(self.scheme, message);
        signed.map_err(|error| rustls::Error::Other(OtherError(Arc::new(Error::Sign(error)))))
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

impl fmt::Debug for RemoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RemoteKey([held elsewhere])")
    }
}

impl fmt::Debug for RemoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RemoteSigner([held elsewhere])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken;

    impl identity::Sign for Broken {
        fn sign(&self, _: SignatureScheme, _: &[u8]) -> Result<Vec<u8>, identity::Error> {
            let problem = "the chip does not answer".to_owned();
            Err(identity::Error::Pkcs11 { token: "broken".to_owned(), problem })
        }
    }

    impl fmt::Display for Broken {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("nothing")
        }
    }

    const SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;

    fn broken() -> RemoteKey {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        RemoteKey(Identity::held_by(vec![certificate.der().to_vec()], Broken).unwrap())
    }

    #[test]
    fn only_what_the_key_can_sign_is_offered() {
        let key = broken();
        assert!(key.choose_scheme(&[SignatureScheme::ED25519, SignatureScheme::RSA_PSS_SHA256]).is_none());
        assert_eq!(key.choose_scheme(&[SignatureScheme::ED25519, SCHEME]).unwrap().scheme(), SCHEME);
        assert_eq!(key.algorithm(), SignatureAlgorithm::ECDSA);
    }

    #[test]
    fn a_failed_signature_keeps_its_reason() {
        let error = broken().choose_scheme(&[SCHEME]).unwrap().sign(b"message").unwrap_err();
        assert!(error.to_string().contains("the chip does not answer"), "{error}");
    }

    #[test]
    fn the_key_prints_nothing_of_itself() {
        assert_eq!(format!("{:?}", broken()), "RemoteKey([held elsewhere])");
        let signer = broken().choose_scheme(&[SCHEME]).unwrap();
        assert_eq!(format!("{signer:?}"), "RemoteSigner([held elsewhere])");
    }
}
