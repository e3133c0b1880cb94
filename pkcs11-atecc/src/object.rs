//! The objects of a token and their attributes (section 4).

mod attributes;
mod certificate;
mod key;
mod x509;

use atecc::{PublicKey, Slot};
use atecc_token::ObjectKind;
use cryptoki_sys::*;

use crate::{error::Error, template::Template};

use attributes::Attributes;
pub(crate) use attributes::Value;

/// All objects of a token. The handle of an object is its place in the list, counted from 1.
#[derive(Debug)]
pub(crate) struct Objects(Vec<Object>);

impl Objects {
    /// The objects that the token shows.
    pub(crate) fn of_token(token: &[atecc_token::Object]) -> Self {
        let subject_of = |id: &[u8]| token.iter().find_map(|object| subject(object, id));
        let is_key = |id: &[u8]| {
            token.iter().any(|object| object.id == id && matches!(object.kind, ObjectKind::PrivateKey { .. }))
        };
        let objects = token.iter().filter_map(|object| match &object.kind {
            ObjectKind::PrivateKey { slot, public_key } => Some(Object {
                attributes: key::private(object, public_key, subject_of(&object.id)),
                key: Some(Key::Private(*slot)),
            }),
            ObjectKind::PublicKey { public_key, .. } => Some(Object {
                attributes: key::public(object, public_key, subject_of(&object.id)),
                key: Some(Key::Public(*public_key)),
            }),
            ObjectKind::Certificate { der } => {
                Some(Object { attributes: certificate::x509(object, der, is_key(&object.id))?, key: None })
            }
        });
        Self(objects.collect())
    }

    /// The object with this handle.
    pub(crate) fn get(&self, handle: CK_OBJECT_HANDLE) -> Result<&Object, Error> {
        usize::try_from(handle)
            .ok()
            .and_then(|number| self.0.get(number.checked_sub(1)?))
            .ok_or(Error::ObjectHandleInvalid)
    }

    /// The key with this handle; certificates are no keys.
    pub(crate) fn key(&self, handle: CK_OBJECT_HANDLE) -> Result<Key, Error> {
        self.get(handle).ok().and_then(|object| object.key).ok_or(Error::KeyHandleInvalid)
    }

    /// The handles of the objects that match.
    pub(crate) fn find(&self, template: &Template<'_>) -> Vec<CK_OBJECT_HANDLE> {
        (1..).zip(&self.0).filter(|(_, object)| template.matches(object)).map(|(handle, _)| handle).collect()
    }
}

/// One object.
#[derive(Debug)]
pub(crate) struct Object {
    attributes: Attributes,
    key: Option<Key>,
}

impl Object {
    /// The value of an attribute, if the object has it.
    pub(crate) fn attribute(&self, attribute: CK_ATTRIBUTE_TYPE) -> Option<&Value> {
        self.attributes.get(attribute)
    }
}

/// What an operation needs of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// The chip signs with the key of this slot.
    Private(Slot),
    /// The host verifies with this key.
    Public(PublicKey),
}

/// The subject of the certificate `object`, if it belongs to the key `id`.
fn subject<'a>(object: &'a atecc_token::Object, id: &[u8]) -> Option<&'a [u8]> {
    match &object.kind {
        ObjectKind::Certificate { der } if object.id == id => Some(x509::Fields::parse(der).ok()?.subject),
        _ => None,
    }
}

/// Attributes that all objects of the token have (sections 4.2 and 4.4; CKA_UNIQUE_ID comes from version 3.0).
///
/// Nothing is private in the sense of the standard: every session sees every object, with or without a user
/// logged in. What protects the private key is that it never leaves the chip.
fn storage_object(class: CK_OBJECT_CLASS, object: &atecc_token::Object, unique_id: &str) -> Attributes {
    Attributes::default()
        .number(CKA_CLASS, class)
        .boolean(CKA_TOKEN, true)
        .boolean(CKA_PRIVATE, false)
        .boolean(CKA_MODIFIABLE, false)
        .boolean(CKA_COPYABLE, false)
        .boolean(CKA_DESTROYABLE, false)
        .bytes(CKA_LABEL, object.label.as_bytes())
        .bytes(CKA_ID, &object.id)
        .bytes(CKA_UNIQUE_ID, unique_id.as_bytes())
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const ID: [u8; 20] = [0x1d; 20];

    /// The private key `device`, as a token shows it.
    pub(crate) fn private_key() -> Object {
        device_objects().0.remove(0)
    }

    fn device_objects() -> Objects {
        let public_key = PublicKey::from_bytes([0x11; 64]);
        let slot = Slot::PRIMARY_KEY;
        let object = |kind| atecc_token::Object { label: "device", id: ID.to_vec(), kind };
        Objects::of_token(&[
            object(ObjectKind::PrivateKey { slot, public_key }),
            object(ObjectKind::PublicKey { slot, public_key }),
            object(ObjectKind::Certificate { der: atecc::certificate::MICROCHIP.root_certificate.to_vec() }),
            object(ObjectKind::Certificate { der: vec![0x30, 0x01, 0x00] }),
        ])
    }

    #[test]
    fn handles_begin_at_one_and_end_with_the_list() {
        let objects = device_objects();
        assert_eq!(objects.get(CK_INVALID_HANDLE).err(), Some(Error::ObjectHandleInvalid));
        assert_eq!(objects.get(4).err(), Some(Error::ObjectHandleInvalid));
        assert_eq!(objects.get(CK_OBJECT_HANDLE::MAX).err(), Some(Error::ObjectHandleInvalid));
        assert_eq!(objects.key(1), Ok(Key::Private(Slot::PRIMARY_KEY)));
        assert!(matches!(objects.key(2), Ok(Key::Public(_))));
        assert_eq!(objects.key(3), Err(Error::KeyHandleInvalid));
    }

    #[test]
    fn an_unreadable_certificate_is_no_object() {
        assert_eq!(device_objects().find(&Template::default()), [1, 2, 3]);
    }

    #[test]
    fn a_search_finds_the_handles_that_match() {
        let objects = device_objects();
        let class = CKO_PUBLIC_KEY.to_ne_bytes();
        let mut template = Template::default();
        template.push(CKA_CLASS, &class);
        assert_eq!(objects.find(&template), [2]);
        template.push(CKA_LABEL, b"signer");
        assert!(objects.find(&template).is_empty());
    }

    #[test]
    fn keys_carry_the_subject_of_their_certificate() {
        let objects = device_objects();
        let subject = |handle| objects.get(handle).unwrap().attribute(CKA_SUBJECT).cloned();
        assert!(subject(3).is_some());
        assert_eq!(subject(1), subject(3));
        assert_eq!(subject(2), subject(3));
    }
}
