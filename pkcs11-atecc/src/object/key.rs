//! Key objects (sections 4.7 to 4.9 and mechanisms, sections 2.3.3 and 2.3.4).

use atecc::PublicKey;
use atecc_token::Uses;
use cryptoki_sys::*;

use super::{Attributes, hex, storage_object};
use crate::mechanism::Mechanism;

/// A private key of the chip, for what its slot allows.
pub(super) fn private(
    object: &atecc_token::Object,
    may: Uses,
    public_key: &PublicKey,
    subject: Option<&[u8]>,
) -> Attributes {
    let unique_id = format!("private-key:{}", hex(&object.id));
    key(storage_object(CKO_PRIVATE_KEY, &object.label, &unique_id), object, public_key, subject)
        .boolean(CKA_SIGN, may.sign)
        .boolean(CKA_DERIVE, may.ecdh)
        .boolean(CKA_SIGN_RECOVER, false)
        .boolean(CKA_DECRYPT, false)
        .boolean(CKA_UNWRAP, false)
        .boolean(CKA_SENSITIVE, true)
        .boolean(CKA_ALWAYS_SENSITIVE, true)
        .boolean(CKA_EXTRACTABLE, false)
        .boolean(CKA_NEVER_EXTRACTABLE, true)
        .boolean(CKA_WRAP_WITH_TRUSTED, false)
        .boolean(CKA_ALWAYS_AUTHENTICATE, false)
        .empty_templates(&[CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE])
        .numbers(CKA_ALLOWED_MECHANISMS, &Mechanism::types_with_private_key(may))
        .sensitive(CKA_VALUE)
}

/// The public key to it, on the host.
pub(super) fn public(
    object: &atecc_token::Object,
    public_key: &PublicKey,
    subject: Option<&[u8]>,
) -> Attributes {
    let unique_id = format!("public-key:{}", hex(&object.id));
    key(storage_object(CKO_PUBLIC_KEY, &object.label, &unique_id), object, public_key, subject)
        .boolean(CKA_VERIFY, true)
        .boolean(CKA_DERIVE, false)
        .boolean(CKA_VERIFY_RECOVER, false)
        .boolean(CKA_ENCRYPT, false)
        .boolean(CKA_WRAP, false)
        .boolean(CKA_TRUSTED, false)
        .empty_templates(&[CKA_WRAP_TEMPLATE])
        .numbers(CKA_ALLOWED_MECHANISMS, &Mechanism::types_with_public_key())
        .bytes(CKA_EC_POINT, &ec_point(public_key))
}

/// What both keys of a pair have. The pair was made in the chip, in the factory; it has no dates.
fn key(
    attributes: Attributes,
    object: &atecc_token::Object,
    public_key: &PublicKey,
    subject: Option<&[u8]>,
) -> Attributes {
    let attributes = match subject {
        Some(subject) => attributes.bytes(CKA_SUBJECT, subject),
        // Its certificate, if it has one, was not read yet.
        None => attributes.in_chip(CKA_SUBJECT),
    };
    attributes
        .bytes(CKA_ID, &object.id)
        .number(CKA_KEY_TYPE, CKK_EC)
        .bytes(CKA_START_DATE, &[])
        .bytes(CKA_END_DATE, &[])
        .boolean(CKA_LOCAL, true)
        .number(CKA_KEY_GEN_MECHANISM, CKM_EC_KEY_PAIR_GEN)
        .bytes(CKA_EC_PARAMS, &PRIME256V1)
        .bytes(CKA_PUBLIC_KEY_INFO, &public_key_info(public_key))
}

/// The named curve prime256v1, DER: OBJECT IDENTIFIER 1.2.840.10045.3.1.7.
pub(super) const PRIME256V1: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// The point as DER OCTET STRING around SEC 1's uncompressed form.
pub(super) fn ec_point(public_key: &PublicKey) -> [u8; 67] {
    let mut octet_string = [0; 67];
    octet_string[..2].copy_from_slice(&[0x04, 65]);
    octet_string[2..].copy_from_slice(&public_key.to_sec1());
    octet_string
}

/// SubjectPublicKeyInfo, DER (RFC 5480, section 2).
pub(super) fn public_key_info(public_key: &PublicKey) -> [u8; 91] {
    /// SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING of 65 bytes
    const HEAD: [u8; 26] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    let mut info = [0; 91];
    info[..HEAD.len()].copy_from_slice(&HEAD);
    info[HEAD.len()..].copy_from_slice(&public_key.to_sec1());
    info
}

#[cfg(test)]
mod tests {
    use atecc::certificate::MICROCHIP;

    use super::*;
    use crate::object::x509;

    #[test]
    fn public_key_info_is_what_a_certificate_has() {
        let fields = x509::Fields::parse(MICROCHIP.root_certificate).unwrap();
        assert_eq!(public_key_info(&MICROCHIP.root_public_key), fields.public_key_info);
    }

    #[test]
    fn ec_point_is_an_octet_string() {
        let point = ec_point(&PublicKey::from_bytes([0x22; 64]));
        assert_eq!(point[..3], [0x04, 0x41, 0x04]);
        assert_eq!(point[3..], [0x22; 64]);
    }
}
