//! Secret keys (section 4.10), which live as long as their session: those that an application brings, and those
//! that C_DeriveKey makes.

use std::sync::Arc;

use atecc::Slot;
use atecc_token::SecretAlgorithm;
use cryptoki_sys::*;
use zeroize::Zeroizing;

use super::{Made, flag, number};
use crate::{
    error::Error,
    info::ulong,
    mechanism::Mechanism,
    object::{Attributes, Key},
    template::Template,
};

/// Where the value of a secret key is.
#[derive(Clone, Debug)]
pub(crate) enum SecretKey {
    /// Here.
    Host(HostKey),
    /// An AES-128 key of the chip.
    Aes {
        /// Where it is.
        slot: Slot,
        /// Which 16 bytes of the slot.
        key_block: u8,
    },
    /// An HMAC key of the chip.
    Hmac {
        /// Where it is.
        slot: Slot,
    },
}

impl SecretKey {
    /// A key of the chip.
    pub(crate) const fn in_chip(slot: Slot, algorithm: SecretAlgorithm) -> Self {
        match algorithm {
            SecretAlgorithm::Aes128 { key_block } => Self::Aes { slot, key_block },
            SecretAlgorithm::HmacSha256 => Self::Hmac { slot },
        }
    }
}

/// A value in the memory of the host. It is overwritten when the last copy is gone, and does not print.
#[derive(Clone)]
pub(crate) struct HostKey(Arc<Zeroizing<Vec<u8>>>);

impl HostKey {
    /// The bytes themselves.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for HostKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// Longest generic secret.
const LONGEST: usize = 4096;

/// C_CreateObject, and C_DeriveKey once the value is in the template.
pub(super) fn make(template: &Template<'_>) -> Result<Made, Error> {
    let key_type = number(template, CKA_KEY_TYPE)?;
    let value = template.get(CKA_VALUE).ok_or(Error::TemplateIncomplete)?;
    let right = match key_type {
        CKK_GENERIC_SECRET | CKK_SHA256_HMAC => (1..=LONGEST).contains(&value.len()),
        CKK_AES => matches!(value.len(), 16 | 24 | 32),
        _ => false,
    };
    let length = ulong(value.len());
    if !right || template.get(CKA_VALUE_LEN).is_some_and(|given| given != length.to_ne_bytes()) {
        return Err(Error::AttributeValueInvalid);
    }
    if flag(template, CKA_TOKEN, false) {
        return Err(Error::TokenWriteProtected);
    }
    // A key that was in the clear is neither "always sensitive" nor "never extractable".
    let attributes = Attributes::default()
        .number(CKA_VALUE_LEN, length)
        .boolean(CKA_LOCAL, false)
        .number(CKA_KEY_GEN_MECHANISM, CK_UNAVAILABLE_INFORMATION)
        .numbers(CKA_ALLOWED_MECHANISMS, &Mechanism::types_with_secret_key(key_type))
        .boolean(CKA_ALWAYS_SENSITIVE, false)
        .boolean(CKA_NEVER_EXTRACTABLE, false)
        // A digest of the value would tell of a value that is sensitive.
        .bytes(CKA_CHECK_VALUE, &[])
        .empty_templates(&[CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE]);
    let key = HostKey(Arc::new(Zeroizing::new(value.to_vec())));
    Ok(Made { attributes, key: Some(Key::Secret(SecretKey::Host(key))) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{
        Value,
        make::{
            change,
            tests::{made, refused},
        },
    };

    const CLASS: [u8; 8] = CKO_SECRET_KEY.to_ne_bytes();

    fn template<'a>(
        key_type: &'a [u8; 8],
        more: (CK_ATTRIBUTE_TYPE, &'a [u8]),
    ) -> Vec<(CK_ATTRIBUTE_TYPE, &'a [u8])> {
        vec![(CKA_CLASS, &CLASS), (CKA_KEY_TYPE, key_type), more]
    }

    #[test]
    fn lengths_fit_the_type() {
        let (generic, aes, des) =
            (CKK_GENERIC_SECRET.to_ne_bytes(), CKK_AES.to_ne_bytes(), CKK_DES3.to_ne_bytes());
        assert_eq!(refused(&template(&generic, (CKA_VALUE, &[1]))), None);
        assert_eq!(refused(&template(&generic, (CKA_VALUE, &[]))), Some(Error::AttributeValueInvalid));
        assert_eq!(refused(&template(&aes, (CKA_VALUE, &[1; 16]))), None);
        assert_eq!(refused(&template(&aes, (CKA_VALUE, &[1; 15]))), Some(Error::AttributeValueInvalid));
        assert_eq!(refused(&template(&des, (CKA_VALUE, &[1; 24]))), Some(Error::AttributeValueInvalid));
        assert_eq!(refused(&template(&aes, (CKA_LABEL, b""))), Some(Error::TemplateIncomplete));
    }

    #[test]
    fn a_value_is_hidden_once_it_is_sensitive_and_never_shown_again() {
        let key_type = CKK_GENERIC_SECRET.to_ne_bytes();
        let key = made(&template(&key_type, (CKA_VALUE, b"secret"))).unwrap();
        assert_eq!(key.attribute(CKA_VALUE), Some(Value::Plain(b"secret")));
        for (attribute, value) in [(CKA_SENSITIVE, CK_TRUE), (CKA_EXTRACTABLE, CK_FALSE)] {
            let (hide, show) = ([value], [CK_TRUE - value]);
            let (mut hiding, mut showing) = (Template::default(), Template::default());
            hiding.push(attribute, &hide);
            showing.push(attribute, &show);
            let hidden = change(&key, &hiding).unwrap();
            assert_eq!(hidden.attribute(CKA_VALUE), Some(Value::Sensitive));
            assert_eq!(change(&hidden, &showing).err(), Some(Error::AttributeReadOnly));
        }
    }

    #[test]
    fn a_secret_does_not_print() {
        let key_type = CKK_GENERIC_SECRET.to_ne_bytes();
        let key = made(&template(&key_type, (CKA_VALUE, b"secret"))).unwrap();
        assert!(format!("{:?}", key.key()).contains("REDACTED"));
    }
}
