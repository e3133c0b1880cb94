//! X.509 certificate objects (section 4.6).

use cryptoki_sys::*;
use sha1::{Digest as _, Sha1};

use super::{Attributes, hex, storage_object, x509::Fields};

/// A certificate, if it can be read. `of_token_user` tells the certificate of a key of this token from those
/// of the authorities above it.
///
/// The root, at which the chain was verified, comes with this library and not with the chip. CKA_TRUSTED says
/// so, if `is_root_trusted`: that of an emulated chip, whose key everybody has, is never to be trusted.
pub(super) fn x509(
    object: &atecc_token::Object,
    der: &[u8],
    of_token_user: bool,
    is_root_trusted: bool,
) -> Option<Attributes> {
    let fields = Fields::parse(der).ok()?;
    let is_root = !of_token_user && fields.subject == fields.issuer;
    let fingerprint = Sha1::digest(der);
    let category =
        if of_token_user { CK_CERTIFICATE_CATEGORY_TOKEN_USER } else { CK_CERTIFICATE_CATEGORY_AUTHORITY };
    let unique_id = format!("certificate:{}", hex(&fingerprint));
    Some(
        storage_object(CKO_CERTIFICATE, &object.label, &unique_id)
            .bytes(CKA_ID, &object.id)
            .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
            .number(CKA_CERTIFICATE_CATEGORY, category)
            .boolean(CKA_TRUSTED, is_root && is_root_trusted)
            .bytes(CKA_CHECK_VALUE, &fingerprint[..3])
            .bytes(CKA_START_DATE, &fields.not_before)
            .bytes(CKA_END_DATE, &fields.not_after)
            .bytes(CKA_PUBLIC_KEY_INFO, fields.public_key_info)
            .bytes(CKA_SUBJECT, fields.subject)
            .bytes(CKA_ISSUER, fields.issuer)
            .bytes(CKA_SERIAL_NUMBER, fields.serial_number)
            .bytes(CKA_VALUE, der)
            // CKA_VALUE is here, so the attributes of a certificate that lies elsewhere are empty.
            .bytes(CKA_URL, &[])
            .bytes(CKA_HASH_OF_SUBJECT_PUBLIC_KEY, &[])
            .bytes(CKA_HASH_OF_ISSUER_PUBLIC_KEY, &[])
            .number(CKA_NAME_HASH_ALGORITHM, CKM_SHA_1)
            .number(CKA_JAVA_MIDP_SECURITY_DOMAIN, CK_SECURITY_DOMAIN_UNSPECIFIED),
    )
}
