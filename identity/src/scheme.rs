//! Kinds of keys, what they can sign, and the proof that they did.

use rustls::SignatureScheme;
use rustls::crypto::ring;
use rustls::pki_types::{AlgorithmIdentifier, alg_id};
use x509_cert::der::{Decode, Encode};
use x509_cert::spki::SubjectPublicKeyInfoRef;

/// A public key, and what its private key can sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey {
    /// SubjectPublicKeyInfo in DER (RFC 5280, section 4.1).
    info: Vec<u8>,
    kind: Kind,
    /// Its `subjectPublicKey`.
    bits: Vec<u8>,
}

/// What kind of key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    P256,
    P384,
    Rsa,
    Ed25519,
}

impl PublicKey {
    /// Out of a SubjectPublicKeyInfo. `None`: it is damaged, or of a kind that no server of today takes.
    pub(crate) fn from_info(info: &[u8]) -> Option<Self> {
        let parsed = SubjectPublicKeyInfoRef::from_der(info).ok()?;
        let algorithm = parsed.algorithm.to_der().ok()?;
        let kind = Kind::ALL.into_iter().find(|kind| is_same(&algorithm, kind.identifier()))?;
        Some(Self { info: info.to_vec(), kind, bits: parsed.subject_public_key.as_bytes()?.to_vec() })
    }

    pub(crate) fn info(&self) -> &[u8] {
        &self.info
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether `signature` is that of `message`, in the form in which TLS and X.509 have it.
    pub(crate) fn verifies(&self, scheme: SignatureScheme, message: &[u8], signature: &[u8]) -> bool {
        let known = ring::default_provider().signature_verification_algorithms;
        let algorithms = known.mapping.iter().find(|(known, _)| *known == scheme);
        let algorithm = algorithms.and_then(|(_, algorithms)| {
            algorithms.iter().find(|algorithm| algorithm.public_key_alg_id() == self.kind.identifier())
        });
        algorithm.is_some_and(|algorithm| algorithm.verify_signature(&self.bits, message, signature).is_ok())
    }
}

/// `whole` is the SEQUENCE, `identifier` what is in it.
fn is_same(whole: &[u8], identifier: AlgorithmIdentifier) -> bool {
    whole.get(2..) == Some(identifier.as_ref())
}

impl Kind {
    const ALL: [Self; 4] = [Self::P256, Self::P384, Self::Rsa, Self::Ed25519];

    const fn identifier(self) -> AlgorithmIdentifier {
        match self {
            Self::P256 => alg_id::ECDSA_P256,
            Self::P384 => alg_id::ECDSA_P384,
            Self::Rsa => alg_id::RSA_ENCRYPTION,
            Self::Ed25519 => alg_id::ED25519,
        }
    }

    /// What such a key can sign, best first. TLS 1.3 knows no PKCS#1 padding (RFC 8446, section 4.2.3).
    pub(crate) const fn schemes(self) -> &'static [SignatureScheme] {
        use SignatureScheme as Scheme;
        match self {
            Self::P256 => &[Scheme::ECDSA_NISTP256_SHA256],
            Self::P384 => &[Scheme::ECDSA_NISTP384_SHA384],
            Self::Rsa => &[
                Scheme::RSA_PSS_SHA256,
                Scheme::RSA_PSS_SHA384,
                Scheme::RSA_PSS_SHA512,
                Scheme::RSA_PKCS1_SHA256,
                Scheme::RSA_PKCS1_SHA384,
                Scheme::RSA_PKCS1_SHA512,
            ],
            Self::Ed25519 => &[Scheme::ED25519],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_are_told_from_each_other_and_a_wrong_signature_from_a_right_one() {
        for (algorithm, kind) in [
            (&rcgen::PKCS_ECDSA_P256_SHA256, Kind::P256),
            (&rcgen::PKCS_ECDSA_P384_SHA384, Kind::P384),
            (&rcgen::PKCS_ED25519, Kind::Ed25519),
        ] {
            let pair = rcgen::KeyPair::generate_for(algorithm).unwrap();
            let key = PublicKey::from_info(&rcgen::PublicKeyData::subject_public_key_info(&pair)).unwrap();
            assert_eq!(key.kind(), kind);
            let signature = rcgen::SigningKey::sign(&pair, b"message").unwrap();
            assert!(key.verifies(kind.schemes()[0], b"message", &signature));
            assert!(!key.verifies(kind.schemes()[0], b"massage", &signature));
            assert!(!key.verifies(SignatureScheme::RSA_PSS_SHA256, b"message", &signature));
        }
        assert_eq!(PublicKey::from_info(b"0"), None);
    }
}
