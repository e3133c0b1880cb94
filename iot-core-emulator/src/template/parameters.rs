//! What just-in-time provisioning knows of a device: its certificate's subject.

use super::Parameters;
use crate::{CertificateId, certificate};

/// The prefix of the parameters that AWS fills in.
const PREFIX: &str = "AWS::IoT::Certificate::";
/// The certificate's id, which is not in the certificate.
pub(super) const ID: &str = "Id";
/// The rest of the name, and the attribute's object identifier (X.520).
const SUBJECT: [(&str, &str); 7] = [
    ("Country", "2.5.4.6"),
    ("Organization", "2.5.4.10"),
    ("OrganizationalUnit", "2.5.4.11"),
    ("DistinguishedNameQualifier", "2.5.4.46"),
    ("StateName", "2.5.4.8"),
    ("CommonName", "2.5.4.3"),
    ("SerialNumber", "2.5.4.5"),
];

/// Whether just-in-time provisioning has a parameter of this name (developer guide, "Just-in-time provisioning").
pub(super) fn of_subject(name: &str) -> bool {
    let known = |rest: &str| rest == ID || SUBJECT.iter().any(|(subject, _)| *subject == rest);
    name.strip_prefix(PREFIX).is_some_and(known)
}

/// The parameters that follow from a certificate. One whose attribute is not in the subject has no value.
pub(crate) fn of_certificate(der: &[u8], id: &CertificateId) -> Parameters {
    let mut parameters = Parameters::from_iter([(format!("{PREFIX}{ID}"), id.to_string())]);
    for (name, oid) in SUBJECT {
        if let Some(value) = certificate::subject_attribute(der, oid) {
            parameters.insert(format!("{PREFIX}{name}"), value);
        }
    }
    parameters
}
