//! Secret keys in the chip (section 4.10).

use atecc::Slot;
use atecc_token::SecretAlgorithm;
use cryptoki_sys::*;

use super::{Attributes, storage_object};
use crate::mechanism::Mechanism;

/// A key that the chip computes with. Whoever wrote it there knew it, so it was not always sensitive and comes
/// from elsewhere.
pub(super) fn attributes(object: &atecc_token::Object, slot: Slot, algorithm: SecretAlgorithm) -> Attributes {
    let (key_type, length, number) = match algorithm {
        SecretAlgorithm::Aes128 { key_block } => (CKK_AES, 16, format!("aes:{key_block}")),
        SecretAlgorithm::HmacSha256 => (CKK_GENERIC_SECRET, 32, "hmac".to_owned()),
    };
    let is_aes = key_type == CKK_AES;
    storage_object(CKO_SECRET_KEY, &object.label, &format!("secret-key:{slot}:{number}"))
        .bytes(CKA_ID, &object.id)
        .number(CKA_KEY_TYPE, key_type)
        .bytes(CKA_START_DATE, &[])
        .bytes(CKA_END_DATE, &[])
        .boolean(CKA_DERIVE, false)
        .boolean(CKA_LOCAL, false)
        .number(CKA_KEY_GEN_MECHANISM, CK_UNAVAILABLE_INFORMATION)
        .numbers(CKA_ALLOWED_MECHANISMS, &Mechanism::types_with_secret_key(key_type))
        .boolean(CKA_SENSITIVE, true)
        .boolean(CKA_ALWAYS_SENSITIVE, false)
        .boolean(CKA_EXTRACTABLE, false)
        .boolean(CKA_NEVER_EXTRACTABLE, false)
        .boolean(CKA_ENCRYPT, is_aes)
        .boolean(CKA_DECRYPT, is_aes)
        // CKM_AES_CMAC is a signature too.
        .boolean(CKA_SIGN, true)
        .boolean(CKA_VERIFY, true)
        .boolean(CKA_WRAP, false)
        .boolean(CKA_UNWRAP, false)
        .boolean(CKA_WRAP_WITH_TRUSTED, false)
        .boolean(CKA_TRUSTED, false)
        .bytes(CKA_CHECK_VALUE, &[])
        .empty_templates(&[CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE])
        .number(CKA_VALUE_LEN, length)
        .sensitive(CKA_VALUE)
}
