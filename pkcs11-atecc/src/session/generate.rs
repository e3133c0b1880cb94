//! CKM_EC_KEY_PAIR_GEN (section 5.14 and mechanisms, section 2.3.5): a new key over one that the administrator gave up.

use atecc::Slot;
use cryptoki_sys::*;

use super::Session;
use crate::{
    error::Error,
    mechanism::{Mechanism, Parameter, Request},
    object::{is_p256, no_duplicates},
    store::Names,
    template::Template,
};

/// Both halves of a new pair.
pub(crate) struct KeyPair {
    pub(crate) public: CK_OBJECT_HANDLE,
    pub(crate) private: CK_OBJECT_HANDLE,
}

impl Session {
    /// C_GenerateKeyPair. The slot is the one whose label the templates say (in the vendor's module a label also
    /// chooses the slot); without such a label the only one that the configuration lists as free.
    ///
    /// Label and id are kept in the store if they differ from those that the key would have anyway.
    pub(crate) fn generate_key_pair(
        &self,
        request: &Request<'_>,
        public: &Template<'_>,
        private: &Template<'_>,
    ) -> Result<KeyPair, Error> {
        let (Mechanism::EcKeyPairGen, Parameter::None) = request.mechanism()? else {
            return Err(Error::MechanismInvalid);
        };
        self.writable()?;
        let wishes = Wishes::of(public, private)?;
        let (slot, label) = self.choose(&wishes)?;
        // The name of the key must be kept somewhere; whether it can is asked before the old key is gone.
        let (names, old) = (wishes.names(&label), self.token.pair(slot)?);
        let [private, public] = if self.is_remembered(&old) || names != Names::default() {
            // Names must be kept somewhere; whether they can is known before the old key is gone.
            self.token.replace(slot, &names)?.map(|unique_id| self.token.handle(&unique_id))
        } else {
            self.token.generate(slot)?;
            self.token.pair(slot)?.map(|unique_id| self.token.handle(&unique_id))
        };
        Ok(KeyPair { public: public?, private: private? })
    }

    /// Whether the store has names for a pair.
    fn is_remembered(&self, pair: &[String; 2]) -> bool {
        let contents = self.token.store().contents().unwrap_or_default();
        pair.iter().any(|unique_id| contents.names(self.token.serial(), unique_id).is_some())
    }

    /// The slot for the new key, and the label that its key has by itself.
    fn choose(&self, wishes: &Wishes) -> Result<(Slot, String), Error> {
        let mut free = self.token.free_slots()?;
        let labelled = |(_, label): &(Slot, String)| Some(label.as_bytes()) == wishes.label.as_deref();
        match (free.iter().position(labelled), free.len()) {
            (Some(at), _) => Ok(free.swap_remove(at)),
            (None, 1) => Ok(free.swap_remove(0)),
            // The factory's keys are named in manifests and cannot come back.
            (None, 0) => Err(Error::TokenWriteProtected),
            // Which of them would be a guess.
            (None, _) => Err(Error::TemplateInconsistent),
        }
    }
}

/// What two templates say about a new pair.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wishes {
    label: Option<Vec<u8>>,
    id: Option<Vec<u8>>,
}

impl Wishes {
    /// The curve must be P-256, and the private key stay in the chip. What else both say about the use of the keys
    /// changes nothing: the slot's configuration decides, and the attributes of the keys tell.
    fn of(public: &Template<'_>, private: &Template<'_>) -> Result<Self, Error> {
        let mut wishes = Self::default();
        let mut curve = None;
        for (template, class) in [(public, CKO_PUBLIC_KEY), (private, CKO_PRIVATE_KEY)] {
            no_duplicates(template)?;
            for (attribute, value) in template.iter() {
                match attribute {
                    CKA_CLASS => equal(value, &class.to_ne_bytes())?,
                    CKA_KEY_TYPE => equal(value, &CKK_EC.to_ne_bytes())?,
                    CKA_TOKEN => equal(value, &[CK_TRUE])?,
                    // Every slot whose key could come out in the clear is none of these.
                    CKA_SENSITIVE if class == CKO_PRIVATE_KEY => equal(value, &[CK_TRUE])?,
                    CKA_EXTRACTABLE if class == CKO_PRIVATE_KEY => equal(value, &[CK_FALSE])?,
                    CKA_EC_PARAMS if is_p256(value) => curve = Some(()),
                    CKA_EC_PARAMS => return Err(Error::CurveNotSupported),
                    // The private key's counts, as the one that is signed with.
                    CKA_LABEL if str::from_utf8(value).is_ok() => wishes.label = Some(value.to_vec()),
                    CKA_LABEL => return Err(Error::AttributeValueInvalid),
                    CKA_ID => wishes.id = Some(value.to_vec()),
                    CKA_PRIVATE
                    | CKA_MODIFIABLE
                    | CKA_COPYABLE
                    | CKA_DESTROYABLE
                    | CKA_SIGN
                    | CKA_SIGN_RECOVER
                    | CKA_VERIFY
                    | CKA_VERIFY_RECOVER
                    | CKA_ENCRYPT
                    | CKA_DECRYPT
                    | CKA_WRAP
                    | CKA_UNWRAP
                    | CKA_DERIVE
                    | CKA_TRUSTED
                    | CKA_WRAP_WITH_TRUSTED
                    | CKA_SENSITIVE
                    | CKA_EXTRACTABLE => {
                        if !matches!(value, [CK_FALSE | CK_TRUE]) {
                            return Err(Error::AttributeValueInvalid);
                        }
                    }
                    CKA_ALWAYS_AUTHENTICATE => equal(value, &[CK_FALSE])?,
                    CKA_SUBJECT | CKA_START_DATE | CKA_END_DATE | CKA_ALLOWED_MECHANISMS => (),
                    CKA_EC_POINT
                    | CKA_VALUE
                    | CKA_LOCAL
                    | CKA_KEY_GEN_MECHANISM
                    | CKA_UNIQUE_ID
                    | CKA_ALWAYS_SENSITIVE
                    | CKA_NEVER_EXTRACTABLE => return Err(Error::AttributeReadOnly),
                    _ => return Err(Error::AttributeTypeInvalid),
                }
            }
        }
        curve.map(|()| wishes).ok_or(Error::TemplateIncomplete)
    }

    /// What must be kept of them, for a key that has this label by itself.
    fn names(&self, label: &str) -> Names {
        let given = self.label.as_deref().and_then(|label| str::from_utf8(label).ok());
        Names {
            label: given.filter(|given| *given != label && !given.is_empty()).map(str::to_owned),
            id: self.id.clone().filter(|id| !id.is_empty()),
            ..Names::default()
        }
    }
}

fn equal(value: &[u8], only: &[u8]) -> Result<(), Error> {
    if value.len() != only.len() {
        Err(Error::AttributeValueInvalid)
    } else if value != only {
        Err(Error::TemplateInconsistent)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CURVE: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

    fn wishes(
        public: &[(CK_ATTRIBUTE_TYPE, &[u8])],
        private: &[(CK_ATTRIBUTE_TYPE, &[u8])],
    ) -> Result<Wishes, Error> {
        let [public, private] = [public, private].map(|attributes| {
            let mut template = Template::default();
            attributes.iter().for_each(|(attribute, value)| template.push(*attribute, value));
            template
        });
        Wishes::of(&public, &private)
    }

    #[test]
    fn both_dialects_ask_for_the_same() {
        let standard = wishes(&[(CKA_EC_PARAMS, CURVE), (CKA_LABEL, b"spare")], &[(CKA_LABEL, b"spare")]);
        // The vendor's examples give the curve to both halves, and say what class and type they are.
        let vendors = wishes(
            &[(CKA_EC_PARAMS, CURVE), (CKA_VERIFY, &[CK_TRUE]), (CKA_KEY_TYPE, &CKK_EC.to_ne_bytes())],
            &[(CKA_EC_PARAMS, CURVE), (CKA_LABEL, b"spare"), (CKA_TOKEN, &[CK_TRUE]), (CKA_SIGN, &[CK_TRUE])],
        );
        assert_eq!(standard.unwrap(), vendors.unwrap());
    }

    #[test]
    fn what_no_slot_can_do_is_refused() {
        let private =
            |attribute, value: &[u8]| wishes(&[(CKA_EC_PARAMS, CURVE)], &[(attribute, value)]).err();
        assert_eq!(wishes(&[], &[]).err(), Some(Error::TemplateIncomplete));
        assert_eq!(wishes(&[(CKA_EC_PARAMS, b"\x06\x05")], &[]).err(), Some(Error::CurveNotSupported));
        assert_eq!(private(CKA_SENSITIVE, &[CK_FALSE]), Some(Error::TemplateInconsistent));
        assert_eq!(private(CKA_EXTRACTABLE, &[CK_TRUE]), Some(Error::TemplateInconsistent));
        assert_eq!(private(CKA_TOKEN, &[CK_FALSE]), Some(Error::TemplateInconsistent));
        assert_eq!(private(CKA_KEY_TYPE, &CKK_RSA.to_ne_bytes()), Some(Error::TemplateInconsistent));
        assert_eq!(private(CKA_VALUE, &[1; 32]), Some(Error::AttributeReadOnly));
        assert_eq!(private(CKA_MODULUS_BITS, &[1; 8]), Some(Error::AttributeTypeInvalid));
        assert_eq!(private(CKA_SIGN, &[]), Some(Error::AttributeValueInvalid));
    }

    #[test]
    fn names_that_the_key_has_anyway_need_not_be_kept() {
        let wishes = wishes(&[(CKA_EC_PARAMS, CURVE)], &[(CKA_LABEL, b"spare"), (CKA_ID, b"")]).unwrap();
        assert_eq!(wishes.names("spare"), Names::default());
        assert_eq!(wishes.names("slot-3").label.as_deref(), Some("spare"));
    }
}
