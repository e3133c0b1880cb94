//! Objects that applications make: C_CreateObject, C_CopyObject and C_SetAttributeValue (sections 4.1 and 5.7).

mod certificate;
mod public_key;
mod secret_key;

use cryptoki_sys::*;

pub(crate) use public_key::{is_p256, point};
pub(crate) use secret_key::SecretKey;

use super::{
    Attributes, Key, Object, Value,
    rules::{Change, Rules, no_duplicates},
};
use crate::{error::Error, template::Template};

/// C_CreateObject.
pub(crate) fn create(template: &Template<'_>, unique_id: &str) -> Result<Object, Error> {
    no_duplicates(template)?;
    let class = number(template, CKA_CLASS)?;
    let rules = Rules::of_class(class).ok_or(Error::AttributeValueInvalid)?;
    rules.check(template)?;
    let made = match class {
        CKO_DATA => Made::default(),
        CKO_CERTIFICATE => certificate::make(template)?,
        CKO_PUBLIC_KEY => public_key::make(template)?,
        _ => secret_key::make(template)?,
    };
    let mut attributes = Attributes::default();
    for rule in rules.iter() {
        let given = || template.get(rule.attribute).map(<[u8]>::to_vec);
        let value = match made.attributes.get(rule.attribute) {
            Some(Value::Plain(value)) => Some(value.to_vec()),
            _ if rule.attribute == CKA_UNIQUE_ID => Some(unique_id.as_bytes().to_vec()),
            _ => given().or_else(|| rule.kind.default_value()),
        };
        attributes = attributes.bytes(rule.attribute, &value.ok_or(Error::TemplateIncomplete)?);
    }
    Ok(Object { attributes, key: made.key, place: None })
}

/// C_CopyObject, with the values of the template instead of those of `object`.
pub(crate) fn copy(object: &Object, template: &Template<'_>, unique_id: &str) -> Result<Object, Error> {
    let mut copy = replaced(object, template, true)?;
    copy.attributes.set(CKA_UNIQUE_ID, unique_id.as_bytes());
    Ok(copy)
}

/// C_SetAttributeValue: all values of the template, or none.
pub(crate) fn change(object: &Object, template: &Template<'_>) -> Result<Object, Error> {
    replaced(object, template, false)
}

fn replaced(object: &Object, template: &Template<'_>, is_copy: bool) -> Result<Object, Error> {
    no_duplicates(template)?;
    let rules = object.rules().ok_or(Error::ActionProhibited)?;
    let mut replaced = object.clone();
    for (attribute, value) in template.iter() {
        let rule = rules.get(attribute)?;
        let Some(Value::Plain(old)) = object.attributes.get(attribute) else {
            return Err(Error::AttributeReadOnly);
        };
        if rule.change == Change::Never || rule.change == Change::InCopy && !is_copy {
            return Err(Error::AttributeReadOnly);
        }
        rule.kind.check(value)?;
        if !rule.change.allows(is_copy, old, value) {
            return Err(Error::AttributeReadOnly);
        }
        replaced.attributes.set(attribute, value);
    }
    Ok(replaced)
}

/// What the token adds to a template, or puts in the place of what it says.
#[derive(Debug, Default)]
struct Made {
    attributes: Attributes,
    key: Option<Key>,
}

/// A CK_ULONG that must be there.
fn number(template: &Template<'_>, attribute: CK_ATTRIBUTE_TYPE) -> Result<CK_ULONG, Error> {
    let bytes = template.get(attribute).ok_or(Error::TemplateIncomplete)?.try_into();
    bytes.map(CK_ULONG::from_ne_bytes).map_err(|_| Error::AttributeValueInvalid)
}

/// A CK_BBOOL that may be there.
fn flag(template: &Template<'_>, attribute: CK_ATTRIBUTE_TYPE, default: bool) -> bool {
    template.get(attribute).map_or(default, |value| value == [CK_TRUE])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The error, if an object of these attributes is refused.
    pub(super) fn refused(attributes: &[(CK_ATTRIBUTE_TYPE, &[u8])]) -> Option<Error> {
        made(attributes).err()
    }

    /// An object of these attributes.
    pub(in crate::object) fn made(attributes: &[(CK_ATTRIBUTE_TYPE, &[u8])]) -> Result<Object, Error> {
        let mut template = Template::default();
        attributes.iter().for_each(|(attribute, value)| template.push(*attribute, value));
        create(&template, "id")
    }

    #[test]
    fn data_objects_need_their_class_only() {
        let data = made(&[(CKA_CLASS, &CKO_DATA.to_ne_bytes()), (CKA_VALUE, b"v")]).unwrap();
        let all: Vec<_> = Rules::of_class(CKO_DATA).unwrap().iter().map(|rule| rule.attribute).collect();
        assert!(all.iter().all(|attribute| data.attribute(*attribute).is_some()));
        assert_eq!(data.attribute(CKA_VALUE), Some(Value::Plain(b"v")));
        assert_eq!(data.attribute(CKA_OBJECT_ID), Some(Value::Plain(b"")));
        assert_eq!(data.attribute(CKA_UNIQUE_ID), Some(Value::Plain(b"id")));
        assert_eq!(data.attribute(CKA_ID), None);
        assert_eq!(data.key().err(), Some(Error::KeyHandleInvalid));
    }

    #[test]
    fn classes_that_nobody_makes_are_refused() {
        for class in [CKO_PRIVATE_KEY, CKO_PROFILE, CKO_HW_FEATURE, CKO_VENDOR_DEFINED] {
            assert_eq!(refused(&[(CKA_CLASS, &class.to_ne_bytes())]), Some(Error::AttributeValueInvalid));
        }
        assert_eq!(refused(&[]), Some(Error::TemplateIncomplete));
        assert_eq!(refused(&[(CKA_CLASS, &[0])]), Some(Error::AttributeValueInvalid));
    }

    #[test]
    fn an_attribute_given_twice_is_a_contradiction() {
        let class = CKO_DATA.to_ne_bytes();
        let twice: &[(_, &[u8])] = &[(CKA_CLASS, &class), (CKA_LABEL, b"a"), (CKA_LABEL, b"a")];
        assert_eq!(refused(twice), Some(Error::TemplateInconsistent));
    }

    #[test]
    fn what_is_set_once_stays_in_a_change_and_may_differ_in_a_copy() {
        let data = made(&[(CKA_CLASS, &CKO_DATA.to_ne_bytes())]).unwrap();
        let mut template = Template::default();
        template.push(CKA_MODIFIABLE, &[CK_FALSE]);
        assert_eq!(change(&data, &template).err(), Some(Error::AttributeReadOnly));
        assert!(!copy(&data, &template, "copy").unwrap().flag(CKA_MODIFIABLE));
        let mut class = Template::default();
        class.push(CKA_CLASS, &[0; 8]);
        assert_eq!(copy(&data, &class, "copy").err(), Some(Error::AttributeReadOnly));
        let mut unknown = Template::default();
        unknown.push(CKA_MODULUS, &[]);
        assert_eq!(change(&data, &unknown).err(), Some(Error::AttributeTypeInvalid));
    }
}
