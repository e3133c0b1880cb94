//! Profile objects (version 3.0, section 4.13): which of the profiles of the PKCS#11 Profiles specification the
//! token fulfils.

use cryptoki_sys::*;

use super::{Attributes, storage_object};

/// The profiles of a token. What the first three ask for is in this module whatever the chip holds.
/// `has_certificate` says that the certificate of a key is among the objects, with the CKA_ID of the key: both
/// can be found and read without a login, which is what the last one asks for.
pub(super) fn all(has_certificate: bool) -> impl Iterator<Item = Attributes> {
    let always = [
        (CKP_BASELINE_PROVIDER, "Baseline Provider"),
        (CKP_EXTENDED_PROVIDER, "Extended Provider"),
        (CKP_AUTHENTICATION_TOKEN, "Authentication Token"),
    ];
    let certificates =
        has_certificate.then_some((CKP_PUBLIC_CERTIFICATES_TOKEN, "Public Certificates Token"));
    always.into_iter().chain(certificates).map(|(profile, label)| {
        storage_object(CKO_PROFILE, label, &format!("profile:{profile}")).number(CKA_PROFILE_ID, profile)
    })
}
