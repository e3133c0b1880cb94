//! Public keys as they are written and read.

use atecc::PublicKey;
use x509_cert::{
    Certificate,
    der::{DecodePem, EncodePem, asn1::BitString, oid::ObjectIdentifier, pem::LineEnding},
    spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
};

/// id-ecPublicKey (RFC 5480, section 2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// secp256r1, which OpenSSL calls prime256v1 and NIST P-256.
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// `key` as SubjectPublicKeyInfo.
fn to_info(key: &PublicKey) -> Result<SubjectPublicKeyInfoOwned, x509_cert::der::Error> {
    Ok(SubjectPublicKeyInfoOwned {
        algorithm: AlgorithmIdentifierOwned { oid: EC_PUBLIC_KEY, parameters: Some(P256.into()) },
        subject_public_key: BitString::from_bytes(&key.to_sec1())?,
    })
}

/// `key` in PEM, `-----BEGIN PUBLIC KEY-----`.
pub(crate) fn to_pem(key: &PublicKey) -> Result<String, x509_cert::der::Error> {
    to_info(key)?.to_pem(LineEnding::LF)
}

/// The key in a PEM file: a public key, or a certificate.
pub(crate) fn from_pem(pem: &[u8]) -> Option<PublicKey> {
    let info = match SubjectPublicKeyInfoOwned::from_pem(pem) {
        Ok(info) => info,
        Err(_) => Certificate::from_pem(pem).ok()?.tbs_certificate().subject_public_key_info().clone(),
    };
    from_info(&info)
}

/// The key in `info`, if it is one on the curve P-256.
pub(crate) fn from_info(info: &SubjectPublicKeyInfoOwned) -> Option<PublicKey> {
    let curve = info.algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok()?;
    if info.algorithm.oid != EC_PUBLIC_KEY || curve != P256 {
        return None;
    }
    let coordinates = info.subject_public_key.as_bytes()?.strip_prefix(&[0x04])?;
    coordinates.try_into().ok().map(PublicKey::from_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_the_round_trip() {
        let key = PublicKey::from_bytes([0x5a; 64]);
        assert_eq!(from_pem(to_pem(&key).unwrap().as_bytes()), Some(key));
        assert_eq!(from_pem(b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"), None);
    }
}
