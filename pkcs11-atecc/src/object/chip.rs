//! The objects that the chip brings, from what `atecc_token` says about it.

use atecc_token::ObjectKind;
use cryptoki_sys::*;

use super::{
    Attributes, Key, Object, Place, SecretKey, certificate, feature, key, profile, secret_key,
    storage_object, x509,
};
use crate::{error::Error, store::Names};

/// How the objects of a chip are shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Showing {
    /// Applications may trust the root of its certificates.
    pub(crate) is_root_trusted: bool,
    /// Keys are there for those only who logged in.
    pub(crate) are_keys_private: bool,
    /// There is a store that keeps other names for them.
    pub(crate) is_renamable: bool,
    /// They are all that the chip has, and not its keys alone.
    pub(crate) is_all: bool,
}

/// The objects, with the profiles that a token with them fulfils.
pub(crate) fn of_chip(chip: &[atecc_token::Object], showing: Showing) -> Vec<Object> {
    let subject_of = |id: &[u8]| {
        let known = chip.iter().find_map(|object| subject(object, id));
        if showing.is_all { Some(known.unwrap_or_default()) } else { known }
    };
    let is_key = |id: &[u8]| {
        chip.iter().any(|object| object.id == id && matches!(object.kind, ObjectKind::PrivateKey { .. }))
    };
    let is_free = |slot| {
        chip.iter().any(|object| {
            matches!(object.kind, ObjectKind::PrivateKey { slot: of, may, .. } if of == slot && may.overwrite)
        })
    };
    let objects = chip.iter().filter_map(|object| {
        let mut shown = match &object.kind {
            ObjectKind::PrivateKey { slot, public_key, may } => Object {
                attributes: key::private(object, *may, public_key, subject_of(&object.id)),
                key: Some(Key::Private { slot: *slot }),
                place: None,
            },
            ObjectKind::PublicKey { public_key, .. } => Object {
                attributes: key::public(object, public_key, subject_of(&object.id)),
                key: Some(Key::Public(*public_key)),
                place: None,
            },
            ObjectKind::SecretKey { slot, algorithm } => Object {
                attributes: secret_key::attributes(object, *slot, *algorithm),
                key: Some(Key::Secret(SecretKey::in_chip(*slot, *algorithm))),
                place: None,
            },
            ObjectKind::Certificate { der, .. } => {
                let is_user = is_key(&object.id);
                Object::plain(certificate::x509(object, der, is_user, showing.is_root_trusted)?)
            }
            ObjectKind::Data { slot } => Object {
                attributes: storage_object(CKO_DATA, &object.label, &format!("data:{slot}"))
                    .bytes(CKA_APPLICATION, &[])
                    .bytes(CKA_OBJECT_ID, &[])
                    .in_chip(CKA_VALUE),
                key: None,
                place: Some(Place::Data(*slot)),
            },
            ObjectKind::Counter { counter } => {
                // A hardware feature is no storage object: it has no name to change, and nothing is private.
                return Some(Object {
                    attributes: feature::counter(*counter),
                    key: None,
                    place: Some(Place::Counter(*counter)),
                });
            }
        };
        let is_secret = matches!(shown.key, Some(Key::Private { .. } | Key::Secret(_)));
        set(&mut shown.attributes, CKA_PRIVATE, showing.are_keys_private && is_secret);
        set(&mut shown.attributes, CKA_MODIFIABLE, showing.is_renamable);
        // What an application may replace it may destroy.
        let is_free = match &object.kind {
            ObjectKind::PrivateKey { may, .. } => may.overwrite,
            ObjectKind::PublicKey { slot, .. } => is_free(*slot),
            _ => false,
        };
        set(&mut shown.attributes, CKA_DESTROYABLE, showing.is_renamable && is_free);
        Some(shown)
    });
    let has_certificate = chip.iter().any(|object| {
        matches!(object.kind, ObjectKind::Certificate { .. })
            && is_key(&object.id)
            && subject(object, &object.id).is_some()
    });
    objects.chain(profile::all(has_certificate).map(Object::plain)).collect()
}

impl Object {
    /// With the names that an application gave to something in the chip.
    pub(crate) fn named(mut self, names: &Names) -> Self {
        let label = names.label.as_deref().map(str::as_bytes);
        for (attribute, name) in
            [(CKA_LABEL, label), (CKA_ID, names.id.as_deref()), (CKA_SUBJECT, names.subject.as_deref())]
        {
            if let Some(name) = name
                && self.attributes.get(attribute).is_some()
            {
                self.attributes.set(attribute, name);
            }
        }
        self
    }

    /// The names that a template gives to something in the chip. All else about it stays as it is.
    pub(crate) fn check_names(
        &self,
        attribute: CK_ATTRIBUTE_TYPE,
        value: &[u8],
    ) -> Result<(), crate::error::Error> {
        match attribute {
            _ if self.attributes.get(attribute).is_none() => Err(Error::AttributeTypeInvalid),
            CKA_LABEL if str::from_utf8(value).is_ok() => Ok(()),
            CKA_LABEL => Err(Error::AttributeValueInvalid),
            CKA_ID => Ok(()),
            // Of a certificate it is what the certificate says.
            CKA_SUBJECT if self.key.is_some() => Ok(()),
            _ => Err(Error::AttributeReadOnly),
        }
    }
}

fn set(attributes: &mut Attributes, attribute: CK_ATTRIBUTE_TYPE, value: bool) {
    attributes.set(attribute, &[CK_BBOOL::from(value)]);
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

#[cfg(test)]
pub(crate) mod tests {
    use atecc::{PublicKey, Slot, zone::CounterId};
    use atecc_token::{CertificateRole, SecretAlgorithm, Uses};

    use super::*;
    use crate::object::{Value, rules::Rules};

    const ID: [u8; 20] = [0x1d; 20];
    const MAY: Uses = Uses { sign: true, ecdh: true, overwrite: false };

    /// The private key `device`, as a token shows it.
    pub(crate) fn private_key() -> Object {
        device_objects().swap_remove(0)
    }

    fn object(label: &'static str, kind: ObjectKind) -> atecc_token::Object {
        atecc_token::Object { label: label.into(), id: ID.to_vec(), kind }
    }

    fn chip() -> Vec<atecc_token::Object> {
        let public_key = PublicKey::from_bytes([0x11; 64]);
        let (slot, nine) = (Slot::PRIMARY_KEY, Slot::new(9).unwrap());
        let root = atecc::certificate::MICROCHIP.root_certificate;
        let unreadable = vec![0x30, 0x01, 0x00];
        vec![
            object("device", ObjectKind::PrivateKey { slot, public_key, may: MAY }),
            object("device", ObjectKind::PublicKey { slot, public_key }),
            object("device", ObjectKind::Certificate { der: root.to_vec(), role: CertificateRole::Device }),
            object("signer", ObjectKind::Certificate { der: unreadable, role: CertificateRole::Signer }),
            object(
                "aes",
                ObjectKind::SecretKey { slot: nine, algorithm: SecretAlgorithm::Aes128 { key_block: 1 } },
            ),
            object("hmac", ObjectKind::SecretKey { slot: nine, algorithm: SecretAlgorithm::HmacSha256 }),
            object("data", ObjectKind::Data { slot: Slot::new(8).unwrap() }),
            object("counter", ObjectKind::Counter { counter: CounterId::Counter1 }),
        ]
    }

    fn device_objects() -> Vec<Object> {
        let showing =
            Showing { is_root_trusted: true, is_renamable: true, is_all: true, ..Showing::default() };
        of_chip(&chip(), showing)
    }

    fn with_label<'a>(objects: &'a [Object], label: &str, class: CK_OBJECT_CLASS) -> &'a Object {
        let is_it = |object: &&Object| {
            object.class() == class && object.attribute(CKA_LABEL) == Some(Value::Plain(label.as_bytes()))
        };
        objects.iter().find(is_it).unwrap()
    }

    #[test]
    fn an_unreadable_certificate_is_no_object() {
        let objects = device_objects();
        let count = |class| objects.iter().filter(|object| object.class() == class).count();
        assert_eq!(count(CKO_CERTIFICATE), 1);
        assert_eq!((count(CKO_SECRET_KEY), count(CKO_DATA), count(CKO_HW_FEATURE)), (2, 1, 1));
    }

    /// The tables of section 4: what an application may say about an object of its own, one of the chip has too.
    #[test]
    fn objects_of_the_chip_have_every_attribute_of_their_class() {
        let objects = device_objects();
        for class in [CKO_PUBLIC_KEY, CKO_CERTIFICATE, CKO_SECRET_KEY, CKO_DATA] {
            for object in objects.iter().filter(|object| object.class() == class) {
                for rule in Rules::of_class(class).unwrap().iter() {
                    assert!(object.attribute(rule.attribute).is_some(), "{class:#x} CKA_{}", rule.name);
                }
            }
        }
        let private = private_key();
        for attribute in [
            CKA_SUBJECT,
            CKA_SENSITIVE,
            CKA_DECRYPT,
            CKA_SIGN,
            CKA_SIGN_RECOVER,
            CKA_UNWRAP,
            CKA_EXTRACTABLE,
            CKA_ALWAYS_SENSITIVE,
            CKA_NEVER_EXTRACTABLE,
            CKA_WRAP_WITH_TRUSTED,
            CKA_UNWRAP_TEMPLATE,
            CKA_DERIVE_TEMPLATE,
            CKA_ALWAYS_AUTHENTICATE,
            CKA_PUBLIC_KEY_INFO,
            CKA_EC_PARAMS,
            CKA_KEY_TYPE,
            CKA_ID,
            CKA_START_DATE,
            CKA_END_DATE,
            CKA_DERIVE,
            CKA_LOCAL,
            CKA_KEY_GEN_MECHANISM,
            CKA_ALLOWED_MECHANISMS,
        ] {
            assert!(matches!(private.attribute(attribute), Some(Value::Plain(_))), "{attribute:#x}");
        }
        assert_eq!(private.attribute(CKA_VALUE), Some(Value::Sensitive));
    }

    #[test]
    fn keys_say_what_their_slot_allows() {
        let flags = |may: Uses| {
            let public_key = PublicKey::from_bytes([0x11; 64]);
            let kind = ObjectKind::PrivateKey { slot: Slot::PRIMARY_KEY, public_key, may };
            let key = of_chip(&[object("key", kind)], Showing::default()).swap_remove(0);
            let Some(Value::Plain(mechanisms)) = key.attribute(CKA_ALLOWED_MECHANISMS) else { panic!() };
            (key.flag(CKA_SIGN), key.flag(CKA_DERIVE), mechanisms.len() / size_of::<CK_ULONG>())
        };
        assert_eq!(flags(MAY), (true, true, 7));
        assert_eq!(flags(Uses { ecdh: false, ..MAY }), (true, false, 6));
        assert_eq!(flags(Uses { sign: false, ..MAY }), (false, true, 1));
    }

    #[test]
    fn keys_carry_the_subject_of_their_certificate() {
        let objects = device_objects();
        let subject = |at: usize| objects[at].attribute(CKA_SUBJECT).unwrap();
        assert!(matches!(subject(2), Value::Plain(subject) if !subject.is_empty()));
        assert_eq!(subject(0), subject(2));
        assert_eq!(subject(1), subject(2));
    }

    #[test]
    fn without_a_certificate_one_profile_fewer_is_claimed() {
        let profiles = |chip: &[atecc_token::Object]| {
            let objects = of_chip(chip, Showing::default());
            objects.iter().filter(|object| object.class() == CKO_PROFILE).count()
        };
        assert_eq!(profiles(&chip()), 4);
        assert_eq!(profiles(&chip()[..2]), 3);
    }

    #[test]
    fn every_object_has_an_identifier_of_its_own() {
        let objects = device_objects();
        let mut identifiers: Vec<_> = objects.iter().map(Object::unique_id).collect();
        identifiers.sort_unstable();
        identifiers.dedup();
        assert_eq!(identifiers.len(), objects.len());
        assert!(!identifiers.contains(&""));
    }

    #[test]
    fn where_a_pin_is_needed_secrets_are_private_and_the_rest_is_not() {
        let showing = Showing { are_keys_private: true, ..Showing::default() };
        for object in of_chip(&chip(), showing) {
            let is_secret = matches!(object.class(), CKO_PRIVATE_KEY | CKO_SECRET_KEY);
            assert_eq!(object.flag(CKA_PRIVATE), is_secret, "{}", object.unique_id());
        }
    }

    #[test]
    fn names_may_change_and_nothing_else() {
        let objects = device_objects();
        let certificate = with_label(&objects, "device", CKO_CERTIFICATE);
        assert_eq!(certificate.check_names(CKA_LABEL, b"gateway"), Ok(()));
        assert_eq!(certificate.check_names(CKA_LABEL, b"\xff"), Err(Error::AttributeValueInvalid));
        assert_eq!(certificate.check_names(CKA_VALUE, b""), Err(Error::AttributeReadOnly));
        assert_eq!(certificate.check_names(CKA_MODULUS, b""), Err(Error::AttributeTypeInvalid));
        let names = Names { label: Some("gateway".into()), id: Some(vec![7]), ..Names::default() };
        let named = certificate.clone().named(&names);
        assert_eq!(named.attribute(CKA_LABEL), Some(Value::Plain(b"gateway")));
        assert_eq!(named.attribute(CKA_ID), Some(Value::Plain(&[7])));
        let data = with_label(&objects, "data", CKO_DATA);
        assert_eq!(data.check_names(CKA_ID, &[7]), Err(Error::AttributeTypeInvalid));
    }
}
