//! Attribute templates: what a search asks for (section 5.7) and how a value reaches its caller.

use std::borrow::Cow;

use cryptoki_sys::CK_ATTRIBUTE_TYPE;

use crate::{
    error::Error,
    object::{Object, Value},
};

/// Attributes that an object must have, with exactly these values.
#[derive(Debug, Default)]
pub(crate) struct Template<'a>(Vec<(CK_ATTRIBUTE_TYPE, &'a [u8])>);

impl<'a> Template<'a> {
    /// A template that every object matches, with room for `count` attributes.
    pub(crate) fn with_capacity(count: usize) -> Result<Self, Error> {
        let mut attributes = Vec::new();
        attributes.try_reserve_exact(count).map_err(|_| Error::HostMemory)?;
        Ok(Self(attributes))
    }

    /// One more attribute to match.
    pub(crate) fn push(&mut self, attribute: CK_ATTRIBUTE_TYPE, value: &'a [u8]) {
        self.0.push((attribute, value));
    }

    /// The value that it gives to `attribute`.
    pub(crate) fn get(&self, attribute: CK_ATTRIBUTE_TYPE) -> Option<&'a [u8]> {
        self.iter().find(|(given, _)| *given == attribute).map(|(_, value)| value)
    }

    /// Its attributes, in the order in which they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (CK_ATTRIBUTE_TYPE, &'a [u8])> {
        self.0.iter().copied()
    }

    /// Whether `object` has every attribute of the template. A sensitive value matches nothing: searching must
    /// not be a way to guess it. Nor does one that is in the chip, which no search reads.
    pub(crate) fn matches(&self, object: &Object) -> bool {
        self.0.iter().all(|&(attribute, wanted)| object.attribute(attribute) == Some(Value::Plain(wanted)))
    }
}

/// What C_GetAttributeValue does with one attribute of its template (section 5.7, cases 1 to 5): the value, or
/// the reason why the caller's `ulValueLen` becomes CK_UNAVAILABLE_INFORMATION. `read` reads one from the chip.
pub(crate) fn fetch<'a>(
    object: &'a Object,
    attribute: CK_ATTRIBUTE_TYPE,
    read: impl FnOnce() -> Result<Vec<u8>, Error>,
) -> Result<Cow<'a, [u8]>, Error> {
    match object.attribute(attribute) {
        None => Err(Error::AttributeTypeInvalid),
        Some(Value::Sensitive) => Err(Error::AttributeSensitive),
        Some(Value::Plain(value)) => Ok(value.into()),
        Some(Value::InChip) => read().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use cryptoki_sys::*;

    use super::*;
    use crate::object::tests::private_key;

    fn template<'a>(attributes: &[(CK_ATTRIBUTE_TYPE, &'a [u8])]) -> Template<'a> {
        let mut template = Template::with_capacity(attributes.len()).unwrap();
        attributes.iter().for_each(|&(attribute, value)| template.push(attribute, value));
        template
    }

    #[test]
    fn an_empty_template_matches_everything() {
        assert!(template(&[]).matches(&private_key()));
    }

    #[test]
    fn all_attributes_must_match() {
        let class = CKO_PRIVATE_KEY.to_ne_bytes();
        assert!(template(&[(CKA_CLASS, &class)]).matches(&private_key()));
        assert!(template(&[(CKA_CLASS, &class), (CKA_LABEL, b"device")]).matches(&private_key()));
        assert!(!template(&[(CKA_CLASS, &class), (CKA_LABEL, b"signer")]).matches(&private_key()));
    }

    #[test]
    fn a_value_matches_in_its_whole_length() {
        assert!(!template(&[(CKA_LABEL, b"devic")]).matches(&private_key()));
        assert!(!template(&[(CKA_LABEL, b"device\0")]).matches(&private_key()));
        assert!(!template(&[(CKA_CLASS, &CKO_PRIVATE_KEY.to_ne_bytes()[..1])]).matches(&private_key()));
    }

    #[test]
    fn unknown_and_sensitive_attributes_match_nothing() {
        assert!(!template(&[(CKA_MODULUS, b"")]).matches(&private_key()));
        assert!(!template(&[(CKA_VALUE, b"")]).matches(&private_key()));
    }

    #[test]
    fn each_attribute_is_answered_by_itself() {
        let key = private_key();
        let fetch = |attribute| fetch(&key, attribute, || panic!("the chip is not asked"));
        assert_eq!(fetch(CKA_LABEL).as_deref(), Ok(&b"device"[..]));
        assert_eq!(fetch(CKA_VALUE), Err(Error::AttributeSensitive));
        assert_eq!(fetch(CKA_MODULUS), Err(Error::AttributeTypeInvalid));
    }
}
