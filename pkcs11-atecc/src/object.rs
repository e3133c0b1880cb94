//! The objects of a token and their attributes (section 4).

mod attributes;
mod certificate;
mod key;
mod profile;
mod public_key;
mod session;
mod x509;

use std::sync::Arc;

use atecc::{PublicKey, Slot};
use atecc_token::{CertificateRole, ObjectKind};
use cryptoki_sys::*;

use crate::{error::Error, template::Template};

use attributes::Attributes;
pub(crate) use attributes::Value;
pub(crate) use session::{Owner, SessionObjects};

/// The objects that a token brings. The handle of an object is its place in the list, counted from 1.
#[derive(Debug)]
pub(crate) struct Objects(Vec<Arc<Object>>);

impl Objects {
    /// The objects that the token shows.
    pub(crate) fn of_token(token: &[atecc_token::Object]) -> Self {
        let subject_of = |id: &[u8]| token.iter().find_map(|object| subject(object, id));
        let is_key = |id: &[u8]| {
            token.iter().any(|object| object.id == id && matches!(object.kind, ObjectKind::PrivateKey { .. }))
        };
        let objects = token.iter().filter_map(|object| match &object.kind {
            ObjectKind::PrivateKey { slot, public_key, .. } => Some(Object {
                attributes: key::private(object, public_key, subject_of(&object.id)),
                key: Some(Key::Private(*slot)),
            }),
            ObjectKind::PublicKey { public_key, .. } => Some(Object {
                attributes: key::public(object, public_key, subject_of(&object.id)),
                key: Some(Key::Public(*public_key)),
            }),
            // The root belongs to those who verify, and the rest has no mechanism or class here yet.
            ObjectKind::Certificate { role: CertificateRole::Root, .. }
            | ObjectKind::SecretKey { .. }
            | ObjectKind::Data { .. }
            | ObjectKind::Counter { .. } => None,
            ObjectKind::Certificate { der, .. } => {
                Some(Object { attributes: certificate::x509(object, der, is_key(&object.id))?, key: None })
            }
        });
        let has_certificate = token.iter().any(|object| {
            matches!(object.kind, ObjectKind::Certificate { .. })
                && is_key(&object.id)
                && subject(object, &object.id).is_some()
        });
        let profiles = profile::all(has_certificate).map(|attributes| Object { attributes, key: None });
        Self(objects.chain(profiles).map(Arc::new).collect())
    }

    /// The object with this handle.
    pub(crate) fn get(&self, handle: CK_OBJECT_HANDLE) -> Result<Arc<Object>, Error> {
        usize::try_from(handle)
            .ok()
            .and_then(|number| self.0.get(number.checked_sub(1)?))
            .map(Arc::clone)
            .ok_or(Error::ObjectHandleInvalid)
    }

    /// The handles of the objects that match.
    pub(crate) fn find(&self, template: &Template<'_>) -> impl Iterator<Item = CK_OBJECT_HANDLE> {
        (1..).zip(&self.0).filter(|(_, object)| template.matches(object)).map(|(handle, _)| handle)
    }
}

/// One object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    attributes: Attributes,
    key: Option<Key>,
}

impl Object {
    /// The value of an attribute, if the object has it.
    pub(crate) fn attribute(&self, attribute: CK_ATTRIBUTE_TYPE) -> Option<&Value> {
        self.attributes.get(attribute)
    }

    /// A CK_BBOOL; one that the object does not have is false.
    pub(crate) fn flag(&self, attribute: CK_ATTRIBUTE_TYPE) -> bool {
        matches!(self.attribute(attribute), Some(Value::Plain(value)) if *value == [CK_TRUE])
    }

    /// The key, if the object is one; certificates and profiles are none.
    pub(crate) fn key(&self) -> Result<Key, Error> {
        self.key.ok_or(Error::KeyHandleInvalid)
    }

    /// C_GetObjectSize: the bytes of the attributes that can be read. Nobody knows more.
    pub(crate) fn size(&self) -> usize {
        self.attributes.size()
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
        ObjectKind::Certificate { der, .. } if object.id == id => {
            Some(x509::Fields::parse(der).ok()?.subject)
        }
        _ => None,
    }
}

/// Attributes that all objects of the token have (sections 4.2 and 4.4; CKA_UNIQUE_ID comes from version 3.0).
///
/// Nothing is private in the sense of the standard: every session sees every object, with or without a user
/// logged in. What protects the private key is that it never leaves the chip.
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
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use atecc_token::Uses;

    use super::*;

    const ID: [u8; 20] = [0x1d; 20];

    /// The private key `device`, as a token shows it.
    pub(crate) fn private_key() -> Object {
        Object::clone(&device_objects().get(1).unwrap())
    }

    fn device_objects() -> Objects {
        let public_key = PublicKey::from_bytes([0x11; 64]);
        let slot = Slot::PRIMARY_KEY;
        let object = |kind| atecc_token::Object { label: "device".into(), id: ID.to_vec(), kind };
        Objects::of_token(&[
            object(ObjectKind::PrivateKey { slot, public_key, may: Uses::default() }),
            object(ObjectKind::PublicKey { slot, public_key }),
            object(ObjectKind::Certificate {
                der: atecc::certificate::MICROCHIP.root_certificate.to_vec(),
                role: CertificateRole::Device,
            }),
            object(ObjectKind::Certificate { der: vec![0x30, 0x01, 0x00], role: CertificateRole::Signer }),
        ])
    }

    fn find(objects: &Objects, template: &Template<'_>) -> Vec<CK_OBJECT_HANDLE> {
        objects.find(template).collect()
    }

    #[test]
    fn handles_begin_at_one_and_end_with_the_list() {
        let objects = device_objects();
        assert_eq!(objects.get(CK_INVALID_HANDLE).err(), Some(Error::ObjectHandleInvalid));
        assert_eq!(objects.get(8).err(), Some(Error::ObjectHandleInvalid));
        assert_eq!(objects.get(CK_OBJECT_HANDLE::MAX).err(), Some(Error::ObjectHandleInvalid));
        let key = |handle| objects.get(handle).unwrap().key();
        assert_eq!(key(1), Ok(Key::Private(Slot::PRIMARY_KEY)));
        assert!(matches!(key(2), Ok(Key::Public(_))));
        assert_eq!(key(3), Err(Error::KeyHandleInvalid));
    }

    #[test]
    fn an_unreadable_certificate_is_no_object() {
        // Two keys, one certificate, four profiles.
        assert_eq!(find(&device_objects(), &Template::default()), [1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn a_search_finds_the_handles_that_match() {
        let objects = device_objects();
        let class = CKO_PUBLIC_KEY.to_ne_bytes();
        let mut template = Template::default();
        template.push(CKA_CLASS, &class);
        assert_eq!(find(&objects, &template), [2]);
        template.push(CKA_LABEL, b"signer");
        assert!(find(&objects, &template).is_empty());
    }

    #[test]
    fn keys_carry_the_subject_of_their_certificate() {
        let objects = device_objects();
        let subject = |handle| objects.get(handle).unwrap().attribute(CKA_SUBJECT).cloned();
        assert!(subject(3).is_some());
        assert_eq!(subject(1), subject(3));
        assert_eq!(subject(2), subject(3));
    }

    #[test]
    fn without_a_certificate_one_profile_fewer_is_claimed() {
        let public_key = PublicKey::from_bytes([0x11; 64]);
        let may = Uses::default();
        let kind = ObjectKind::PrivateKey { slot: Slot::PRIMARY_KEY, public_key, may };
        let label = "device".into();
        let objects = Objects::of_token(&[atecc_token::Object { label, id: ID.to_vec(), kind }]);
        let (class, profile) = (CKO_PROFILE.to_ne_bytes(), CKP_PUBLIC_CERTIFICATES_TOKEN.to_ne_bytes());
        let mut template = Template::default();
        template.push(CKA_CLASS, &class);
        assert_eq!(find(&objects, &template).len(), 3);
        assert_eq!(find(&device_objects(), &template).len(), 4);
        template.push(CKA_PROFILE_ID, &profile);
        assert!(find(&objects, &template).is_empty());
        assert_eq!(find(&device_objects(), &template).len(), 1);
    }

    #[test]
    fn every_object_has_an_identifier_of_its_own() {
        let objects = device_objects();
        let mut identifiers: Vec<_> = (1..=7)
            .map(|handle| match objects.get(handle).unwrap().attribute(CKA_UNIQUE_ID) {
                Some(Value::Plain(identifier)) => identifier.clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        identifiers.sort();
        identifiers.dedup();
        assert_eq!(identifiers.len(), 7);
    }
}
