//! The objects of a token and their attributes (section 4).

mod attributes;
mod certificate;
mod chip;
mod created;
mod feature;
mod key;
mod make;
mod profile;
mod rules;
mod secret_key;
mod shown;
mod x509;

use atecc::{PublicKey, Slot, zone::CounterId};
use cryptoki_sys::*;

use crate::error::Error;

use attributes::Attributes;
pub(crate) use attributes::Value;
pub(crate) use chip::{Showing, of_chip};
pub(crate) use created::{Created, Owner};
pub(crate) use make::{SecretKey, change, copy, create, is_p256, point};
pub(crate) use rules::{Kind, Rules, no_duplicates};
pub(crate) use shown::Shown;

/// One object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    attributes: Attributes,
    key: Option<Key>,
    /// Where a value is that is read when somebody asks.
    place: Option<Place>,
}

/// Where the chip keeps a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// What everybody may read.
    Data(Slot),
    /// A count, which goes up only.
    Counter(CounterId),
}

impl Object {
    /// The value of an attribute, if the object has it. The value of a key that is sensitive, or may not be
    /// extracted, never comes out.
    pub(crate) fn attribute(&self, attribute: CK_ATTRIBUTE_TYPE) -> Option<Value<'_>> {
        let is_hidden = attribute == CKA_VALUE
            && (self.flag(CKA_SENSITIVE)
                || self.attributes.get(CKA_EXTRACTABLE) == Some(Value::Plain(&[CK_FALSE])));
        let value = self.attributes.get(attribute)?;
        Some(if is_hidden { Value::Sensitive } else { value })
    }

    /// A CK_BBOOL; one that the object does not have is false.
    pub(crate) fn flag(&self, attribute: CK_ATTRIBUTE_TYPE) -> bool {
        self.attributes.get(attribute) == Some(Value::Plain(&[CK_TRUE]))
    }

    /// A CK_ULONG; one that the object does not have is CK_UNAVAILABLE_INFORMATION.
    pub(crate) fn number(&self, attribute: CK_ATTRIBUTE_TYPE) -> CK_ULONG {
        let Some(Value::Plain(number)) = self.attributes.get(attribute) else {
            return CK_UNAVAILABLE_INFORMATION;
        };
        number.try_into().map_or(CK_UNAVAILABLE_INFORMATION, CK_ULONG::from_ne_bytes)
    }

    /// The class.
    pub(crate) fn class(&self) -> CK_OBJECT_CLASS {
        self.number(CKA_CLASS)
    }

    /// CKA_UNIQUE_ID.
    pub(crate) fn unique_id(&self) -> &str {
        match self.attributes.get(CKA_UNIQUE_ID) {
            Some(Value::Plain(id)) => str::from_utf8(id).unwrap_or_default(),
            _ => "",
        }
    }

    /// Where its value is, if that is in the chip.
    pub(crate) const fn place(&self) -> Option<Place> {
        self.place
    }

    /// A secret that the chip made of a key which was always in it: it was as hidden as it is now.
    pub(crate) fn derived_from_the_chip(mut self) -> Self {
        let (sensitive, extractable) = (self.flag(CKA_SENSITIVE), self.flag(CKA_EXTRACTABLE));
        self.attributes.set(CKA_ALWAYS_SENSITIVE, &[CK_BBOOL::from(sensitive)]);
        self.attributes.set(CKA_NEVER_EXTRACTABLE, &[CK_BBOOL::from(!extractable)]);
        self
    }

    /// An object that is nothing but what its attributes say.
    fn plain(attributes: Attributes) -> Self {
        Self { attributes, key: None, place: None }
    }

    /// What applications may say about its attributes, if they can make objects of its class.
    pub(crate) fn rules(&self) -> Option<Rules> {
        Rules::of_class(self.class())
    }

    /// The attributes and their values, without those that never come out.
    pub(crate) fn plain_attributes(&self) -> impl Iterator<Item = (CK_ATTRIBUTE_TYPE, &[u8])> {
        self.attributes.iter().filter_map(|(attribute, _)| match self.attribute(attribute) {
            Some(Value::Plain(value)) => Some((attribute, value)),
            _ => None,
        })
    }

    /// The key, if the object is one; certificates and profiles are none.
    pub(crate) fn key(&self) -> Result<&Key, Error> {
        self.key.as_ref().ok_or(Error::KeyHandleInvalid)
    }

    /// C_GetObjectSize: the bytes of the attributes that can be read. Nobody knows more.
    pub(crate) fn size(&self) -> usize {
        self.attributes.size()
    }
}

/// What an operation needs of a key.
#[derive(Clone, Debug)]
pub(crate) enum Key {
    /// The chip works with the key of this slot.
    Private {
        /// Where it is.
        slot: Slot,
    },
    /// The host verifies with this key.
    Public(PublicKey),
    /// The host, or the chip, computes with this key.
    Secret(SecretKey),
}

/// Attributes that all objects of the token have (sections 4.2 and 4.4; CKA_UNIQUE_ID comes from version 3.0).
///
/// Nothing is private in the sense of the standard, unless a PIN is configured: every session sees every object,
/// with or without a user logged in. What protects the private key is that it never leaves the chip.
fn storage_object(class: CK_OBJECT_CLASS, label: &str, unique_id: &str) -> Attributes {
    Attributes::default()
        .number(CKA_CLASS, class)
        .boolean(CKA_TOKEN, true)
        .boolean(CKA_PRIVATE, false)
        .boolean(CKA_MODIFIABLE, false)
        .boolean(CKA_COPYABLE, false)
        .boolean(CKA_DESTROYABLE, false)
        .bytes(CKA_LABEL, label.as_bytes())
        .bytes(CKA_UNIQUE_ID, unique_id.as_bytes())
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    pub(crate) use super::chip::tests::private_key;
}
