//! What of a certificate counts here.

use std::sync::Arc;

use atecc::certificate::{key_identifier, to_be_signed};
use p256::ecdsa::Signature;
use x509_cert::{
    Certificate,
    der::{Decode, DecodePem, Encode, oid::ObjectIdentifier},
    ext::pkix::{AuthorityKeyIdentifier, BasicConstraints, KeyUsage, SubjectAltName, SubjectKeyIdentifier},
    name::Name,
};

use super::{
    key::{Claim, Key},
    refusal::CertificateProblem,
};

/// ecdsa-with-SHA256 (RFC 5758, section 3.2).
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");

/// A certificate with a P-256 key that is signed with such a key.
pub(super) struct Parsed<'a> {
    der: &'a [u8],
    certificate: Certificate,
    /// X, then Y.
    pub(super) coordinates: [u8; 64],
}

impl<'a> Parsed<'a> {
    pub(super) fn new(der: &'a [u8]) -> Result<Self, CertificateProblem> {
        let certificate =
            Certificate::from_der(der).map_err(|error| CertificateProblem::Der(error.to_string()))?;
        let inner = certificate.tbs_certificate().signature();
        let outer = certificate.signature_algorithm();
        if inner != outer || outer.oid != ECDSA_WITH_SHA256 || outer.parameters.is_some() {
            return Err(CertificateProblem::Algorithm);
        }
        let coordinates = coordinates(&certificate).ok_or(CertificateProblem::Key)?;
        Ok(Self { der, certificate, coordinates })
    }

    pub(super) fn subject(&self) -> &Name {
        self.certificate.tbs_certificate().subject()
    }

    pub(super) fn issuer(&self) -> &Name {
        self.certificate.tbs_certificate().issuer()
    }

    /// The key identifier that it gives, or else the usual one.
    pub(super) fn key_identifier(&self) -> Vec<u8> {
        match self.extension::<SubjectKeyIdentifier>() {
            Some(identifier) => identifier.0.into_bytes().into_vec(),
            None => key_identifier(&atecc::PublicKey::from_bytes(self.coordinates)).to_vec(),
        }
    }

    /// Whether it is that of an authority that may sign certificates.
    pub(super) fn is_authority(&self) -> bool {
        self.extension::<BasicConstraints>().is_some_and(|constraints| constraints.ca)
            && self.extension::<KeyUsage>().is_none_or(|usage| usage.key_cert_sign())
    }

    /// Whether the names fit if it was issued by the authority with this subject and key, which is claimed.
    pub(super) fn check_issued_by(
        &self,
        subject: &Name,
        key_identifier: &[u8],
        key: &Arc<Key>,
    ) -> Result<Claim, CertificateProblem> {
        if self.issuer() != subject {
            return Err(CertificateProblem::Issuer { issuer: self.issuer().to_string() });
        }
        let named =
            self.extension::<AuthorityKeyIdentifier>().and_then(|identifier| identifier.key_identifier);
        if named.is_some_and(|named| named.as_bytes() != key_identifier) {
            return Err(CertificateProblem::AuthorityKey);
        }
        // The bytes as they came, not as they would be encoded again.
        let signed = to_be_signed(self.der).ok_or(CertificateProblem::Signature)?;
        let signature = self.certificate.signature().as_bytes();
        let signature = signature.and_then(|der| Signature::from_der(der).ok());
        Ok(key.claim(&[signed], signature.ok_or(CertificateProblem::Signature)?))
    }

    /// Whether a value of its subject contains `serial_number`, in letters of either case.
    pub(super) fn subject_names(&self, serial_number: &str) -> bool {
        let mut values = self.subject().iter().map(|attribute| attribute.value.value());
        values.any(|value| {
            let mut parts = value.windows(serial_number.len().max(1));
            parts.any(|part| part.eq_ignore_ascii_case(serial_number.as_bytes()))
        })
    }

    pub(super) fn organization(&self) -> Option<String> {
        self.subject().organization().ok().flatten().map(|name| name.value().into())
    }

    pub(super) fn common_name(&self) -> Option<String> {
        self.subject().common_name().ok().flatten().map(|name| name.value().into())
    }

    pub(super) fn has_alternative_name(&self) -> bool {
        self.extension::<SubjectAltName>().is_some()
    }

    /// Years, months and days in which it begins, as RFC 3339 writes them, to the millisecond.
    pub(super) fn not_before(&self) -> String {
        let time = self.certificate.tbs_certificate().validity().not_before.to_date_time();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000Z",
            time.year(),
            time.month(),
            time.day(),
            time.hour(),
            time.minutes(),
            time.seconds()
        )
    }

    fn extension<'b, T>(&'b self) -> Option<T>
    where
        T: Decode<'b, Error = x509_cert::der::Error> + x509_cert::der::oid::AssociatedOid,
    {
        self.certificate.tbs_certificate().get_extension::<T>().ok().flatten().map(|(_, value)| value)
    }
}

/// DER of the certificate in a file that holds PEM or DER.
pub(super) fn from_file(content: &[u8]) -> Option<Vec<u8>> {
    Certificate::from_pem(content).or_else(|_| Certificate::from_der(content)).ok()?.to_der().ok()
}

fn coordinates(certificate: &Certificate) -> Option<[u8; 64]> {
    let key = crate::public_key::from_info(certificate.tbs_certificate().subject_public_key_info())?;
    Some(*key.as_bytes())
}
