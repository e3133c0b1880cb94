//! Public keys that an application brings, to verify signatures with (section 4.8 and mechanisms, section 2.3.3).

use atecc::PublicKey;
use cryptoki_sys::*;

use super::{
    Attributes, Key, Object,
    key::{PRIME256V1, ec_point, public_key_info},
};
use crate::{error::Error, mechanism::Mechanism, template::Template};

/// Attributes that the application gives once, when it creates the key. The last two may be absent.
const FIXED: &[CK_ATTRIBUTE_TYPE] =
    &[CKA_CLASS, CKA_KEY_TYPE, CKA_EC_PARAMS, CKA_EC_POINT, CKA_TOKEN, CKA_PUBLIC_KEY_INFO];
/// Attributes that only the token sets.
const SET_BY_TOKEN: &[CK_ATTRIBUTE_TYPE] =
    &[CKA_UNIQUE_ID, CKA_LOCAL, CKA_KEY_GEN_MECHANISM, CKA_ALLOWED_MECHANISMS];
/// Strings that the application chooses, empty if it does not.
const STRINGS: &[CK_ATTRIBUTE_TYPE] = &[CKA_LABEL, CKA_ID, CKA_SUBJECT, CKA_START_DATE, CKA_END_DATE];
/// Flags that the application chooses, and what they are if it does not. Those for what no mechanism does with
/// a public key are kept as they come.
const FLAGS: &[(CK_ATTRIBUTE_TYPE, bool)] = &[
    (CKA_MODIFIABLE, true),
    (CKA_COPYABLE, true),
    (CKA_DESTROYABLE, true),
    (CKA_VERIFY, true),
    (CKA_VERIFY_RECOVER, false),
    (CKA_ENCRYPT, false),
    (CKA_WRAP, false),
    (CKA_DERIVE, false),
];
/// Flags that can only be off: nothing is private here, and only a security officer would make a key trusted.
const OFF: &[CK_ATTRIBUTE_TYPE] = &[CKA_PRIVATE, CKA_TRUSTED];

/// C_CreateObject.
pub(super) fn create(template: &Template<'_>, unique_id: &str) -> Result<Object, Error> {
    no_duplicates(template)?;
    for (attribute, value) in template.iter().filter(|(attribute, _)| !FIXED.contains(attribute)) {
        choosable(attribute, value)?;
    }
    if template.get(CKA_TOKEN).map_or(Ok(false), flag)? {
        return Err(Error::TokenWriteProtected);
    }
    if number(template.get(CKA_CLASS))? != CKO_PUBLIC_KEY || number(template.get(CKA_KEY_TYPE))? != CKK_EC {
        return Err(Error::AttributeValueInvalid);
    }
    // As an OID; or, as version 3.0 allows, as a PrintableString.
    let named: [&[u8]; 3] = [&PRIME256V1, b"\x13\x0aprime256v1", b"\x13\x09secp256r1"];
    if !named.contains(&template.get(CKA_EC_PARAMS).ok_or(Error::TemplateIncomplete)?) {
        return Err(Error::CurveNotSupported);
    }
    let key = point(template.get(CKA_EC_POINT).ok_or(Error::TemplateIncomplete)?)?;
    let info = public_key_info(&key);
    if template.get(CKA_PUBLIC_KEY_INFO).is_some_and(|given| !given.is_empty() && given != info) {
        return Err(Error::TemplateInconsistent);
    }

    let mut attributes = Attributes::default()
        .number(CKA_CLASS, CKO_PUBLIC_KEY)
        .boolean(CKA_TOKEN, false)
        .bytes(CKA_UNIQUE_ID, unique_id.as_bytes())
        .number(CKA_KEY_TYPE, CKK_EC)
        .boolean(CKA_LOCAL, false)
        .number(CKA_KEY_GEN_MECHANISM, CK_UNAVAILABLE_INFORMATION)
        .numbers(CKA_ALLOWED_MECHANISMS, &Mechanism::types_with_ec_key())
        .bytes(CKA_EC_PARAMS, &PRIME256V1)
        .bytes(CKA_EC_POINT, &ec_point(&key))
        .bytes(CKA_PUBLIC_KEY_INFO, &info);
    for &attribute in STRINGS {
        attributes = attributes.bytes(attribute, template.get(attribute).unwrap_or_default());
    }
    for &(attribute, default) in FLAGS {
        attributes = attributes.boolean(attribute, template.get(attribute).map_or(Ok(default), flag)?);
    }
    for &attribute in OFF {
        attributes = attributes.boolean(attribute, false);
    }
    Ok(Object { attributes, key: Some(Key::Public(key)) })
}

/// C_CopyObject: CKA_TOKEN may be repeated, and what C_SetAttributeValue may change may be changed.
pub(super) fn copy(object: &Object, template: &Template<'_>, unique_id: &str) -> Result<Object, Error> {
    no_duplicates(template)?;
    let mut copy = object.clone();
    copy.attributes.set(CKA_UNIQUE_ID, unique_id.as_bytes());
    for (attribute, value) in template.iter() {
        match attribute {
            CKA_TOKEN if flag(value)? => return Err(Error::TokenWriteProtected),
            CKA_TOKEN => (),
            _ => set(&mut copy, attribute, value)?,
        }
    }
    Ok(copy)
}

/// C_SetAttributeValue.
pub(super) fn change(object: &Object, template: &Template<'_>) -> Result<Object, Error> {
    no_duplicates(template)?;
    let mut changed = object.clone();
    for (attribute, value) in template.iter() {
        match attribute {
            // "CKA_MODIFIABLE ... CKA_COPYABLE ... CKA_DESTROYABLE" can be set when an object is made only.
            CKA_MODIFIABLE | CKA_COPYABLE | CKA_DESTROYABLE => return Err(Error::AttributeReadOnly),
            _ => set(&mut changed, attribute, value)?,
        }
    }
    Ok(changed)
}

fn set(object: &mut Object, attribute: CK_ATTRIBUTE_TYPE, value: &[u8]) -> Result<(), Error> {
    if FIXED.contains(&attribute) {
        return Err(Error::AttributeReadOnly);
    }
    choosable(attribute, value)?;
    object.attributes.set(attribute, value);
    Ok(())
}

/// Whether an application may give this attribute this value.
fn choosable(attribute: CK_ATTRIBUTE_TYPE, value: &[u8]) -> Result<(), Error> {
    match attribute {
        // A CK_DATE has eight digits; none at all is a date as well.
        CKA_START_DATE | CKA_END_DATE if !matches!(value.len(), 0 | 8) => Err(Error::AttributeValueInvalid),
        _ if STRINGS.contains(&attribute) => Ok(()),
        _ if FLAGS.iter().any(|(known, _)| *known == attribute) => flag(value).map(drop),
        _ if OFF.contains(&attribute) => {
            if flag(value)? {
                Err(Error::AttributeValueInvalid)
            } else {
                Ok(())
            }
        }
        _ if SET_BY_TOKEN.contains(&attribute) => Err(Error::AttributeReadOnly),
        _ => Err(Error::AttributeTypeInvalid),
    }
}

fn no_duplicates(template: &Template<'_>) -> Result<(), Error> {
    let mut seen = Vec::new();
    for (attribute, _) in template.iter() {
        if seen.contains(&attribute) {
            return Err(Error::TemplateInconsistent);
        }
        seen.push(attribute);
    }
    Ok(())
}

/// A CK_BBOOL.
fn flag(value: &[u8]) -> Result<bool, Error> {
    match value {
        [CK_FALSE] => Ok(false),
        [CK_TRUE] => Ok(true),
        _ => Err(Error::AttributeValueInvalid),
    }
}

/// A CK_ULONG that must be there.
fn number(value: Option<&[u8]>) -> Result<CK_ULONG, Error> {
    let bytes = value.ok_or(Error::TemplateIncomplete)?.try_into();
    bytes.map(CK_ULONG::from_ne_bytes).map_err(|_| Error::AttributeValueInvalid)
}

/// An uncompressed point of SEC 1, in a DER OCTET STRING or, as some clients write it, bare.
fn point(value: &[u8]) -> Result<PublicKey, Error> {
    let bare = value.strip_prefix(&[0x04, 65]).filter(|rest| rest.len() == 65).unwrap_or(value);
    let coordinates = bare.strip_prefix(&[0x04]).and_then(|rest| <[u8; 64]>::try_from(rest).ok());
    coordinates.map(PublicKey::from_bytes).ok_or(Error::AttributeValueInvalid)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

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
        for attribute in [CKA_CLASS, CKA_KEY_TYPE, CKA_EC_PARAMS, CKA_EC_POINT] {
            assert_eq!(refused(attribute, None), Some(Error::TemplateIncomplete), "{attribute:#x}");
        }
    }

    #[test]
    fn only_public_p256_keys_for_the_session_are_taken() {
        let (private, rsa) = (CKO_PRIVATE_KEY.to_ne_bytes(), CKK_RSA.to_ne_bytes());
        let p384 = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
        assert_eq!(refused(CKA_CLASS, Some(&private)), Some(Error::AttributeValueInvalid));
        assert_eq!(refused(CKA_CLASS, Some(&private[1..])), Some(Error::AttributeValueInvalid));
        assert_eq!(refused(CKA_KEY_TYPE, Some(&rsa)), Some(Error::AttributeValueInvalid));
        assert_eq!(refused(CKA_EC_PARAMS, Some(&p384)), Some(Error::CurveNotSupported));
        assert_eq!(refused(CKA_TOKEN, Some(&[CK_TRUE])), Some(Error::TokenWriteProtected));
        assert_eq!(refused(CKA_TOKEN, Some(&[CK_FALSE])), None);
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

    #[test]
    fn an_attribute_given_twice_is_a_contradiction() {
        let twice = with_template(&[(CKA_LABEL, Some(b"a")), (CKA_LABEL, Some(b"a"))], |template| {
            create(template, "id").err()
        });
        assert_eq!(twice, Some(Error::TemplateInconsistent));
    }
}
