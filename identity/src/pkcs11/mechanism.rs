//! How a token makes each kind of signature.

use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use rustls::SignatureScheme;
use sha2::{Digest, Sha256, Sha384};

use super::attributes::sequence;

/// The mechanism for `scheme`, and what it is to sign for `message`. ECDSA gets the digest, since CKM_ECDSA is what
/// every token has; RSA tokens hash themselves.
pub(super) fn request(scheme: SignatureScheme, message: &[u8]) -> Option<(Mechanism<'static>, Vec<u8>)> {
    use SignatureScheme as Scheme;
    let whole = message.to_vec();
    Some(match scheme {
        Scheme::ECDSA_NISTP256_SHA256 => (Mechanism::Ecdsa, Sha256::digest(message).to_vec()),
        Scheme::ECDSA_NISTP384_SHA384 => (Mechanism::Ecdsa, Sha384::digest(message).to_vec()),
        Scheme::RSA_PKCS1_SHA256 => (Mechanism::Sha256RsaPkcs, whole),
        Scheme::RSA_PKCS1_SHA384 => (Mechanism::Sha384RsaPkcs, whole),
        Scheme::RSA_PKCS1_SHA512 => (Mechanism::Sha512RsaPkcs, whole),
        Scheme::RSA_PSS_SHA256 => {
            (Mechanism::Sha256RsaPkcsPss(pss(MechanismType::SHA256, PkcsMgfType::MGF1_SHA256, 32)), whole)
        }
        Scheme::RSA_PSS_SHA384 => {
            (Mechanism::Sha384RsaPkcsPss(pss(MechanismType::SHA384, PkcsMgfType::MGF1_SHA384, 48)), whole)
        }
        Scheme::RSA_PSS_SHA512 => {
            (Mechanism::Sha512RsaPkcsPss(pss(MechanismType::SHA512, PkcsMgfType::MGF1_SHA512, 64)), whole)
        }
        _ => return None,
    })
}

/// The salt is as long as the digest (RFC 8446, section 4.2.3).
const fn pss(hash_alg: MechanismType, mgf: PkcsMgfType, salt: u8) -> PkcsPssParams {
    PkcsPssParams { hash_alg, mgf, s_len: cryptoki::types::Ulong::new(salt as _) }
}

/// What the token gave, in the form of TLS and X.509: R and S side by side become DER.
pub(super) fn answer(scheme: SignatureScheme, signature: Vec<u8>) -> Option<Vec<u8>> {
    let half = match scheme {
        SignatureScheme::ECDSA_NISTP256_SHA256 => 32,
        SignatureScheme::ECDSA_NISTP384_SHA384 => 48,
        _ => return Some(signature),
    };
    if signature.len() != 2 * half {
        return None;
    }
    let (r, s) = signature.split_at(half);
    sequence(&[r, s])
}
