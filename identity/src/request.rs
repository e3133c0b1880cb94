//! Certificate requests (PKCS#10, RFC 2986) for a key, wherever it is.
//!
//! `atecc::request` makes richer ones for keys in the chip alone; this one says a common name, and is signed by a token
//! or a file as well.

use std::str::FromStr;

use rustls::SignatureScheme;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::{Any, BitString, Null, ObjectIdentifier, SetOfVec, Utf8StringRef};
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{self, Decode, Encode, EncodePem};
use x509_cert::name::Name;
use x509_cert::request::{CertReq, CertReqInfo, Version};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use crate::{Error, Key, name::COMMON_NAME};

impl Key {
    /// A certificate request for this key in PEM, with `common_name` (1 to 64 characters, RFC 5280, appendix A.1) as its
    /// subject, signed with SHA-256 (P-384: SHA-384).
    ///
    /// # Errors
    /// When the name cannot stand in a certificate, or the key does not sign.
    pub fn certificate_request(&self, common_name: &str) -> Result<String, Error> {
        let unfit = |problem: String| Error::Request { holder: self.to_string(), problem };
        if !(1..=64).contains(&common_name.chars().count()) {
            return Err(unfit(format!("the common name {common_name:?} must have 1 to 64 characters")));
        }
        let unfit = |error: der::Error| unfit(error.to_string());
        let info = CertReqInfo {
            version: Version::V1,
            subject: subject(common_name).map_err(unfit)?,
            public_key: SubjectPublicKeyInfoOwned::from_der(self.public_key_info()).map_err(unfit)?,
            attributes: SetOfVec::new(),
        };
        let signature = self.sign(self.certificate_scheme(), &info.to_der().map_err(unfit)?)?;
        let request = CertReq {
            info,
            algorithm: self.certificate_algorithm().map_err(unfit)?,
            signature: BitString::from_bytes(&signature).map_err(unfit)?,
        };
        request.to_pem(LineEnding::LF).map_err(unfit)
    }

    /// How this key signs certificates and requests for them. PKCS#1 where a key can do both: more authorities know it
    /// than PSS.
    pub fn certificate_scheme(&self) -> SignatureScheme {
        match self.schemes() {
            [scheme] => *scheme,
            _ => SignatureScheme::RSA_PKCS1_SHA256,
        }
    }

    /// The same as an `AlgorithmIdentifier` (RFC 5758, section 3.2; RFC 4055, section 5; RFC 8410, section 3).
    ///
    /// # Errors
    /// None but for a mistake in this crate.
    pub fn certificate_algorithm(&self) -> Result<AlgorithmIdentifierOwned, der::Error> {
        let (oid, parameters) = match self.certificate_scheme() {
            SignatureScheme::ECDSA_NISTP256_SHA256 => ("1.2.840.10045.4.3.2", None),
            SignatureScheme::ECDSA_NISTP384_SHA384 => ("1.2.840.10045.4.3.3", None),
            SignatureScheme::ED25519 => ("1.3.101.112", None),
            _ => ("1.2.840.113549.1.1.11", Some(Any::encode_from(&Null)?)),
        };
        let oid = ObjectIdentifier::from_str(oid).map_err(|_| der::ErrorKind::OidMalformed)?;
        Ok(AlgorithmIdentifierOwned { oid, parameters })
    }
}

fn subject(common_name: &str) -> Result<Name, der::Error> {
    let value = Any::encode_from(&Utf8StringRef::new(common_name)?)?;
    let mut attributes = SetOfVec::new();
    attributes.insert(AttributeTypeAndValue { oid: COMMON_NAME, value })?;
    // RDNSequence: a SEQUENCE OF SET OF attributes.
    Name::from_der(&vec![attributes].to_der()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::PublicKey;
    use x509_cert::der::DecodePem;

    #[test]
    fn each_kind_of_key_makes_a_request_that_verifies() {
        for algorithm in
            [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519]
        {
            let pair = rcgen::KeyPair::generate_for(algorithm).unwrap();
            let key = Key::from_pem(&pair.serialize_pem(), "the key of the test").unwrap();
            let pem = key.certificate_request("sn0123456789ABCDEF01").unwrap();
            assert!(pem.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"), "{pem}");
            let request = CertReq::from_pem(&pem).unwrap();
            assert_eq!(request.info.subject.to_string(), "CN=sn0123456789ABCDEF01");
            let info = request.info.public_key.to_der().unwrap();
            assert_eq!(info, key.public_key_info());
            let (signed, signature) = (request.info.to_der().unwrap(), request.signature.raw_bytes());
            assert!(PublicKey::from_info(&info).unwrap().verifies(
                key.certificate_scheme(),
                &signed,
                signature
            ));
        }
    }

    #[test]
    fn a_name_of_no_length_or_too_much_is_refused() {
        let pair = rcgen::KeyPair::generate().unwrap();
        let key = Key::from_pem(&pair.serialize_pem(), "the key of the test").unwrap();
        for name in ["", &"a".repeat(65)] {
            let error = key.certificate_request(name).unwrap_err().to_string();
            assert!(error.contains("1 to 64 characters"), "{error}");
        }
    }
}
