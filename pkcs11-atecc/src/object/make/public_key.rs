//! Public keys that an application brings, to verify signatures with (section 4.8 and mechanisms, section 2.3.3).

use atecc::PublicKey;
use cryptoki_sys::*;

use super::{Made, number};
use crate::{
    error::Error,
    mechanism::Mechanism,
    object::{
        Attributes, Key,
        key::{PRIME256V1, ec_point, public_key_info},
    },
    template::Template,
};

/// A key on P-256.
pub(super) fn make(template: &Template<'_>) -> Result<Made, Error> {
    if number(template, CKA_KEY_TYPE)? != CKK_EC {
        return Err(Error::AttributeValueInvalid);
    }
    if !is_p256(template.get(CKA_EC_PARAMS).ok_or(Error::TemplateIncomplete)?) {
        return Err(Error::CurveNotSupported);
    }
    let key = point(template.get(CKA_EC_POINT).ok_or(Error::TemplateIncomplete)?)?;
    let info = public_key_info(&key);
    if template.get(CKA_PUBLIC_KEY_INFO).is_some_and(|given| !given.is_empty() && given != info) {
        return Err(Error::TemplateInconsistent);
    }
    let attributes = Attributes::default()
        .boolean(CKA_LOCAL, false)
        .number(CKA_KEY_GEN_MECHANISM, CK_UNAVAILABLE_INFORMATION)
        .numbers(CKA_ALLOWED_MECHANISMS, &Mechanism::types_with_public_key())
        .bytes(CKA_EC_PARAMS, &PRIME256V1)
        .bytes(CKA_EC_POINT, &ec_point(&key))
        .bytes(CKA_PUBLIC_KEY_INFO, &info)
        .empty_templates(&[CKA_WRAP_TEMPLATE]);
    Ok(Made { attributes, key: Some(Key::Public(key)) })
}

/// Whether CKA_EC_PARAMS names P-256: as an OID; or, as version 3.0 allows, as a PrintableString.
pub(crate) fn is_p256(parameters: &[u8]) -> bool {
    let named: [&[u8]; 3] = [&PRIME256V1, b"\x13\x0aprime256v1", b"\x13\x09secp256r1"];
    named.contains(&parameters)
}

/// An uncompressed point of SEC 1, in a DER OCTET STRING or, as some clients write it, bare.
pub(crate) fn point(value: &[u8]) -> Result<PublicKey, Error> {
    let bare = value.strip_prefix(&[0x04, 65]).filter(|rest| rest.len() == 65).unwrap_or(value);
    let coordinates = bare.strip_prefix(&[0x04]).and_then(|rest| <[u8; 64]>::try_from(rest).ok());
    coordinates.map(PublicKey::from_bytes).ok_or(Error::AttributeValueInvalid)
}

#[cfg(test)]
pub(in crate::object) mod tests {
    use super::*;
    use crate::object::make::create;

    const POINT: [u8; 65] = [0x04; 65];

    /// Calls with the template of a good public key, in which `changes` replace values or, if they are None,
    /// take attributes out.
    pub(in crate::object) fn with_template<T>(
        changes: &[(CK_ATTRIBUTE_TYPE, Option<&[u8]>)],
        call: impl FnOnce(&Template<'_>) -> T,
    ) -> T {
        let (class, key_type) = (CKO_PUBLIC_KEY.to_ne_bytes(), CKK_EC.to_ne_bytes());
        let mut template = Template::default();
        let good: [(CK_ATTRIBUTE_TYPE, &[u8]); 4] = [
            (CKA_CLASS, &class),
            (CKA_KEY_TYPE, &key_type),
            (CKA_EC_PARAMS, &PRIME256V1),
            (CKA_EC_POINT, &POINT),
        ];
        for (attribute, value) in good {
            if changes.iter().all(|(changed, _)| *changed != attribute) {
                template.push(attribute, value);
            }
        }
        for (attribute, value) in changes {
            if let Some(value) = value {
                template.push(*attribute, value);
            }
        }
        call(&template)
    }

    fn refused(attribute: CK_ATTRIBUTE_TYPE, value: Option<&[u8]>) -> Option<Error> {
        with_template(&[(attribute, value)], |template| create(template, "id").err())
    }

    #[test]
    fn a_key_needs_its_class_type_curve_and_point() {
        for attribute in [CKA_KEY_TYPE, CKA_EC_PARAMS, CKA_EC_POINT] {
            assert_eq!(refused(attribute, None), Some(Error::TemplateIncomplete), "{attribute:#x}");
        }
    }

    #[test]
    fn only_public_p256_keys_are_taken() {
        let rsa = CKK_RSA.to_ne_bytes();
        let p384 = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
        assert_eq!(refused(CKA_KEY_TYPE, Some(&rsa)), Some(Error::AttributeValueInvalid));
        assert_eq!(refused(CKA_EC_PARAMS, Some(&p384)), Some(Error::CurveNotSupported));
        assert_eq!(refused(CKA_PRIVATE, Some(&[CK_TRUE])), Some(Error::AttributeValueInvalid));
        assert_eq!(refused(CKA_TRUSTED, Some(&[CK_TRUE])), Some(Error::AttributeValueInvalid));
    }

    #[test]
    fn points_come_with_and_without_der() {
        let der = ec_point(&PublicKey::from_bytes([0x04; 64]));
        assert_eq!(refused(CKA_EC_POINT, Some(&der)), None);
        assert_eq!(refused(CKA_EC_POINT, Some(&POINT)), None);
        assert_eq!(refused(CKA_EC_POINT, Some(&der[..66])), Some(Error::AttributeValueInvalid));
        assert_eq!(refused(CKA_EC_POINT, Some(&POINT[1..])), Some(Error::AttributeValueInvalid));
        assert_eq!(refused(CKA_EC_POINT, Some(&[])), Some(Error::AttributeValueInvalid));
    }

    #[test]
    fn other_attributes_are_chosen_set_by_the_token_or_unknown() {
        assert_eq!(refused(CKA_LABEL, Some(b"peer")), None);
        assert_eq!(refused(CKA_DERIVE, Some(&[CK_TRUE])), None);
        assert_eq!(refused(CKA_DERIVE, Some(&[2])), Some(Error::AttributeValueInvalid));
        assert_eq!(refused(CKA_START_DATE, Some(b"20260101")), None);
        assert_eq!(refused(CKA_START_DATE, Some(b"2026")), Some(Error::AttributeValueInvalid));
        assert_eq!(refused(CKA_LOCAL, Some(&[CK_TRUE])), Some(Error::AttributeReadOnly));
        assert_eq!(refused(CKA_MODULUS, Some(&[1])), Some(Error::AttributeTypeInvalid));
        assert_eq!(refused(CKA_PUBLIC_KEY_INFO, Some(&[1])), Some(Error::TemplateInconsistent));
        assert_eq!(refused(CKA_PUBLIC_KEY_INFO, Some(&[])), None);
    }
}
