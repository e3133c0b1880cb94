//! Device certificates as the registry sees them.

use std::fmt;

use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::asn1::{PrintableStringRef, Utf8StringRef};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode, Tag, Tagged};
use x509_cert::name::Name;

use crate::Error;

/// The certificateId of AWS: SHA-256 of the DER encoding, in lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CertificateId(String);

impl CertificateId {
    /// Computes the id of a certificate; it needs no registration, so it can be known beforehand.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(hex(&Sha256::digest(der)))
    }

    /// The 64 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The common name in a subject.
pub(crate) const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// The status of a registered certificate; only [`Status::Active`] may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// May connect.
    Active,
    /// Switched off; may be switched on again.
    Inactive,
    /// Switched off by its owner for good.
    Revoked,
    /// Registered by the service, and not switched on yet: by just-in-time registration, or by fleet provisioning.
    PendingActivation,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::Revoked => "REVOKED",
            Self::PendingActivation => "PENDING_ACTIVATION",
        })
    }
}

/// Refuses bytes that are no certificate.
pub(crate) fn check(der: &[u8]) -> Result<(), Error> {
    Certificate::from_der(der).map(drop).map_err(Error::Certificate)
}

/// The first common name of the subject, if the certificate has a readable one.
pub(crate) fn common_name(der: &[u8]) -> Option<String> {
    let certificate = Certificate::from_der(der).ok()?;
    attribute(certificate.tbs_certificate().subject(), COMMON_NAME)
}

/// The first value of an attribute of the subject, named by its object identifier in dots.
pub(crate) fn subject_attribute(der: &[u8], oid: &str) -> Option<String> {
    let certificate = Certificate::from_der(der).ok()?;
    attribute(certificate.tbs_certificate().subject(), ObjectIdentifier::new(oid).ok()?)
}

/// The first value of an attribute of a name, if it is a readable text.
pub(crate) fn attribute(name: &Name, oid: ObjectIdentifier) -> Option<String> {
    let attribute = name.iter().find(|attribute| attribute.oid == oid)?;
    match attribute.value.tag() {
        Tag::Utf8String => {
            attribute.value.decode_as::<Utf8StringRef<'_>>().ok().map(|s| s.as_str().to_owned())
        }
        Tag::PrintableString => {
            attribute.value.decode_as::<PrintableStringRef<'_>>().ok().map(|s| s.as_str().to_owned())
        }
        _ => None,
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_sha256_in_lower_case_hex() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(CertificateId::of(b"abc").as_str(), expected);
    }

    #[test]
    fn common_name_is_found_and_garbage_has_none() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "EMULATOR");
        params.distinguished_name.push(rcgen::DnType::CommonName, "gateway-1");
        let certificate = params.self_signed(&key).unwrap();
        assert_eq!(common_name(certificate.der()).as_deref(), Some("gateway-1"));
        assert!(check(certificate.der()).is_ok());
        assert_eq!(common_name(b"garbage"), None);
        assert!(check(b"garbage").is_err());
    }
}
