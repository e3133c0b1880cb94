//! What the file of the store says:
//!
//! ```toml
//! version = 1
//! next = 2                      # the number of the next object
//!
//! [[object]]                    # added by an application
//! token = "0123ABCDEF01234501"  # serial number of the chip
//! number = 1
//! class = "certificate"         # or "public_key", "data"
//! [object.attributes]           # as in PKCS#11, without CKA_; bytes in hexadecimal digits
//! label = "gateway"
//! value = "308201..."
//!
//! [[name]]                      # another name for something in the chip
//! token = "0123ABCDEF01234501"
//! object = "private-key:..."    # its CKA_UNIQUE_ID
//! label = "gateway"
//!
//! [[pin]]                       # wrong PINs in a row; without this table none
//! token = "0123ABCDEF01234501"
//! wrong = 1
//! ```

use std::collections::BTreeMap;

use cryptoki_sys::*;
use serde::{Deserialize, Serialize};
use toml::Value;

use crate::{
    error::Error,
    object::{self, Kind, Object, Rules, hex},
    template::Template,
};

/// Most objects of all tokens together.
const MOST_OBJECTS: usize = 256;
const VERSION: u32 = 1;

/// The classes that can be stored, and what the file calls them.
const CLASSES: [(CK_OBJECT_CLASS, &str); 3] =
    [(CKO_CERTIFICATE, "certificate"), (CKO_PUBLIC_KEY, "public_key"), (CKO_DATA, "data")];

/// Why a text is not the file of a store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormatError {
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    #[error("{0}")]
    Write(#[from] toml::ser::Error),
    #[error("version {0} is not known to this module, which knows version {VERSION}")]
    Version(u32),
    #[error("there are more than {MOST_OBJECTS} objects in it")]
    TooMany,
    #[error("the id or the subject of {object} is not written in hexadecimal digits")]
    Name { object: String },
    #[error("object {number}: {what}")]
    Object { number: u64, what: String },
}

/// The contents of the file, checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    file: File,
    /// Those of `file`, in their order.
    objects: Vec<Object>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    next: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    object: Vec<Record>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    name: Vec<Named>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pin: Vec<Tries>,
}

impl Default for File {
    fn default() -> Self {
        Self { version: VERSION, next: 1, object: Vec::new(), name: Vec::new(), pin: Vec::new() }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Record {
    token: String,
    number: u64,
    class: String,
    attributes: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Named {
    token: String,
    object: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    hidden: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Tries {
    token: String,
    wrong: u32,
}

/// Names that an application gave to something in the chip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) label: Option<String>,
    pub(crate) id: Option<Vec<u8>>,
    pub(crate) subject: Option<Vec<u8>>,
    /// An application destroyed the object; what is in the chip now is nobody's.
    pub(crate) is_hidden: bool,
}

impl Contents {
    /// Reads the text of a file.
    pub(super) fn parse(text: &str) -> Result<Self, FormatError> {
        let file: File = toml::from_str(text)?;
        if file.version != VERSION {
            return Err(FormatError::Version(file.version));
        }
        if file.object.len() > MOST_OBJECTS {
            return Err(FormatError::TooMany);
        }
        for named in &file.name {
            let mut digits = [&named.id, &named.subject].into_iter().flatten();
            if digits.any(|digits| unhex(digits).is_none()) {
                return Err(FormatError::Name { object: named.object.clone() });
            }
        }
        let objects = file.object.iter().map(|record| {
            let of_this = |what| FormatError::Object { number: record.number, what };
            if record.number >= file.next {
                return Err(of_this(format!("its number is not below next = {}", file.next)));
            }
            record.object().map_err(of_this)
        });
        let objects = objects.collect::<Result<_, _>>()?;
        Ok(Self { file, objects })
    }

    /// The text of the file.
    pub(super) fn to_text(&self) -> Result<String, FormatError> {
        Ok(HEAD.to_owned() + &toml::to_string(&self.file)?)
    }

    /// Whether this is the text of the other too.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.file == other.file
    }

    /// The objects of a token.
    pub(crate) fn objects(&self, token: &str) -> impl Iterator<Item = &Object> {
        let all = self.file.object.iter().zip(&self.objects);
        all.filter(move |(record, _)| record.token == token).map(|(_, object)| object)
    }

    /// Adds an object of a token, made with the CKA_UNIQUE_ID that `make` gets, and gives that.
    pub(crate) fn add(
        &mut self,
        token: &str,
        make: impl FnOnce(&str) -> Result<Object, Error>,
    ) -> Result<String, Error> {
        if self.objects.len() >= MOST_OBJECTS {
            return Err(Error::DeviceMemory);
        }
        let number = self.file.next;
        let object = make(&unique_id(number))?;
        self.file.object.push(Record::of(token, number, &object)?);
        self.objects.push(object);
        self.file.next += 1;
        Ok(unique_id(number))
    }

    /// Puts what `make` makes of an object in its place.
    pub(crate) fn replace(
        &mut self,
        token: &str,
        unique_id: &str,
        make: impl FnOnce(&Object) -> Result<Object, Error>,
    ) -> Result<(), Error> {
        let at = self.position(token, unique_id)?;
        let object = make(&self.objects[at])?;
        self.file.object[at] = Record::of(token, self.file.object[at].number, &object)?;
        self.objects[at] = object;
        Ok(())
    }

    /// Takes an object out.
    pub(crate) fn remove(&mut self, token: &str, unique_id: &str) -> Result<(), Error> {
        let at = self.position(token, unique_id)?;
        self.file.object.remove(at);
        self.objects.remove(at);
        Ok(())
    }

    /// The names that were given to something in the chip.
    pub(crate) fn names(&self, token: &str, object: &str) -> Option<Names> {
        let named = self.file.name.iter().find(|named| named.token == token && named.object == object)?;
        Some(Names {
            label: named.label.clone(),
            id: named.id.as_deref().and_then(unhex),
            subject: named.subject.as_deref().and_then(unhex),
            is_hidden: named.hidden,
        })
    }

    /// Gives names to something in the chip; those that are None stay as they are.
    pub(crate) fn rename(&mut self, token: &str, object: &str, names: &Names) {
        if *names == Names::default() {
            return;
        }
        let present = self.file.name.iter().position(|named| named.token == token && named.object == object);
        let at = present.unwrap_or_else(|| {
            let named = Named {
                token: token.into(),
                object: object.into(),
                label: None,
                id: None,
                subject: None,
                hidden: false,
            };
            self.file.name.push(named);
            self.file.name.len() - 1
        });
        let named = &mut self.file.name[at];
        named.label = names.label.clone().or(named.label.take());
        named.id = names.id.as_deref().map(hex).or(named.id.take());
        named.subject = names.subject.as_deref().map(hex).or(named.subject.take());
        named.hidden |= names.is_hidden;
    }

    /// Forgets the names of something that is not in the chip any more.
    pub(crate) fn forget_names(&mut self, token: &str, object: &str) {
        self.file.name.retain(|named| named.token != token || named.object != object);
    }

    /// How many wrong PINs came in a row.
    pub(crate) fn pin_tries(&self, token: &str) -> u32 {
        self.file.pin.iter().find(|tries| tries.token == token).map_or(0, |tries| tries.wrong)
    }

    /// Counts wrong PINs.
    pub(crate) fn set_pin_tries(&mut self, token: &str, wrong: u32) {
        self.file.pin.retain(|tries| tries.token != token);
        if wrong > 0 {
            self.file.pin.push(Tries { token: token.into(), wrong });
        }
    }

    fn position(&self, token: &str, wanted: &str) -> Result<usize, Error> {
        let is_it = |record: &Record| record.token == token && unique_id(record.number) == wanted;
        self.file.object.iter().position(is_it).ok_or(Error::ObjectHandleInvalid)
    }
}

/// The first lines of the file.
const HEAD: &str = "\
# Objects that applications added to PKCS#11 tokens, and other names for what the chips hold.
# Written by libpkcs11_atecc.so; docs/pkcs11.md explains it.
";

fn unique_id(number: u64) -> String {
    format!("stored:{number}")
}

impl Record {
    fn of(token: &str, number: u64, object: &Object) -> Result<Self, Error> {
        let class = CLASSES.iter().find(|(class, _)| *class == object.class());
        let (_, class) = class.ok_or(Error::TokenWriteProtected)?;
        let rules = object.rules().ok_or(Error::TokenWriteProtected)?;
        let mut attributes = BTreeMap::new();
        for (attribute, value) in object.plain_attributes() {
            let rule = rules.get(attribute)?;
            // What is as it would be anyway is not worth a line.
            let is_default = rule.kind.default_value().as_deref() == Some(value);
            let is_said_elsewhere = matches!(attribute, CKA_CLASS | CKA_TOKEN);
            if rule.kind != Kind::ByToken && !is_default && !is_said_elsewhere {
                let value = to_toml(rule.kind, value).ok_or(Error::AttributeValueInvalid)?;
                attributes.insert(rule.name.to_owned(), value);
            }
        }
        Ok(Self { token: token.into(), number, class: (*class).into(), attributes })
    }

    /// The object, made as C_CreateObject would.
    fn object(&self) -> Result<Object, String> {
        let class = CLASSES.iter().find(|(_, name)| *name == self.class);
        let (class, _) = class.ok_or_else(|| format!("the class \"{}\" is not known", self.class))?;
        let rules = Rules::of_class(*class).ok_or("no rules")?;
        let mut values = vec![(CKA_CLASS, class.to_ne_bytes().to_vec()), (CKA_TOKEN, vec![CK_TRUE])];
        for (name, value) in &self.attributes {
            let rule = rules.iter().find(|rule| rule.name == name);
            let rule = rule.ok_or_else(|| format!("a {} has no attribute \"{name}\"", self.class))?;
            let value =
                from_toml(rule.kind, value).ok_or_else(|| format!("the value of \"{name}\" is none"))?;
            values.push((rule.attribute, value));
        }
        let mut template = Template::default();
        values.iter().for_each(|(attribute, value)| template.push(*attribute, value));
        object::create(&template, &unique_id(self.number))
            .map_err(|error| format!("the attributes do not make a {} ({error:?})", self.class))
    }
}

fn to_toml(kind: Kind, value: &[u8]) -> Option<Value> {
    Some(match kind {
        Kind::Number(_) => {
            Value::Integer(i64::try_from(CK_ULONG::from_ne_bytes(value.try_into().ok()?)).ok()?)
        }
        Kind::Flag(_) | Kind::Off => Value::Boolean(value == [CK_TRUE]),
        Kind::Text | Kind::Date => Value::String(str::from_utf8(value).ok()?.to_owned()),
        Kind::Bytes => Value::String(hex(value)),
        Kind::ByToken => return None,
    })
}

fn from_toml(kind: Kind, value: &Value) -> Option<Vec<u8>> {
    match (kind, value) {
        (Kind::Number(_), Value::Integer(number)) => {
            Some(CK_ULONG::try_from(*number).ok()?.to_ne_bytes().to_vec())
        }
        (Kind::Flag(_) | Kind::Off, Value::Boolean(flag)) => Some(vec![CK_BBOOL::from(*flag)]),
        (Kind::Text | Kind::Date, Value::String(text)) => Some(text.as_bytes().to_vec()),
        (Kind::Bytes, Value::String(digits)) => unhex(digits),
        _ => None,
    }
}

/// The bytes behind hexadecimal digits.
pub(crate) fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?)).collect();
    if rest.is_empty() { bytes } else { None }
}

#[cfg(test)]
mod tests {
    use atecc::certificate::MICROCHIP;

    use super::*;

    fn certificate(contents: &mut Contents, label: &[u8]) -> String {
        let (class, x_509) = (CKO_CERTIFICATE.to_ne_bytes(), CKC_X_509.to_ne_bytes());
        let mut template = Template::default();
        template.push(CKA_CLASS, &class);
        template.push(CKA_TOKEN, &[CK_TRUE]);
        template.push(CKA_CERTIFICATE_TYPE, &x_509);
        template.push(CKA_VALUE, MICROCHIP.root_certificate);
        template.push(CKA_LABEL, label);
        template.push(CKA_MODIFIABLE, &[CK_FALSE]);
        contents.add("0123", |unique_id| object::create(&template, unique_id)).unwrap()
    }

    fn attributes(object: &Object) -> Vec<(CK_ATTRIBUTE_TYPE, Vec<u8>)> {
        object.plain_attributes().map(|(attribute, value)| (attribute, value.to_vec())).collect()
    }

    #[test]
    fn an_object_comes_back_with_all_its_attributes() {
        let mut contents = Contents::default();
        let first = certificate(&mut contents, "für die Kühlung \"1\"".as_bytes());
        let text = contents.to_text().unwrap();
        assert!(text.contains("class = \"certificate\""), "{text}");
        let again = Contents::parse(&text).unwrap();
        let both = [&contents, &again].map(|contents| attributes(contents.objects("0123").next().unwrap()));
        assert_eq!(both[0], both[1]);
        assert_eq!(again.objects("4567").count(), 0);
        let mut again = again;
        again.remove("0123", &first).unwrap();
        assert_eq!(again.objects("0123").count(), 0);
        assert_ne!(certificate(&mut again, b"next"), first, "a number is never used twice");
    }

    #[test]
    fn names_are_added_to_each_other() {
        let mut contents = Contents::default();
        contents.rename("0123", "key", &Names { label: Some("a".into()), ..Names::default() });
        contents.rename("0123", "key", &Names { id: Some(vec![1, 2]), ..Names::default() });
        let again = Contents::parse(&contents.to_text().unwrap()).unwrap();
        let names = Names { label: Some("a".into()), id: Some(vec![1, 2]), ..Names::default() };
        assert_eq!(again.names("0123", "key"), Some(names));
        assert_eq!(again.names("4567", "key"), None);
        let mut again = again;
        again.forget_names("0123", "key");
        assert_eq!(again.names("0123", "key"), None);
    }

    #[test]
    fn mistakes_are_named() {
        let mut contents = Contents::default();
        certificate(&mut contents, b"x");
        let good = contents.to_text().unwrap();
        for (from, to, told) in [
            ("version = 1", "version = 7", "version 7"),
            ("class = \"certificate\"", "class = \"private_key\"", "\"private_key\" is not known"),
            ("label = ", "lable = ", "no attribute \"lable\""),
            ("value = \"30", "value = \"3x", "the value of \"value\""),
            ("value = \"30", "value = \"31", "do not make a certificate"),
            ("number = 1", "number = 2", "not below next"),
            ("modifiable = false", "modifiable = 0", "the value of \"modifiable\""),
            ("modifiable = false", "trusted = true", "do not make a certificate"),
            ("token = ", "tokens = ", "tokens"),
            (
                "[[object]]",
                "[[name]]\ntoken = \"0\"\nobject = \"key\"\nid = \"x\"\n[[object]]",
                "the id or the subject of key",
            ),
        ] {
            assert!(good.contains(from), "{from}");
            let message = Contents::parse(&good.replace(from, to)).unwrap_err().to_string();
            assert!(message.contains(told), "{message}");
        }
    }

    #[test]
    fn a_store_has_room_for_so_many_objects_and_no_more() {
        let mut contents = Contents::default();
        let class = CKO_DATA.to_ne_bytes();
        let mut template = Template::default();
        template.push(CKA_CLASS, &class);
        let mut add = || contents.add("0123", |unique_id| object::create(&template, unique_id));
        for _ in 0..MOST_OBJECTS {
            add().unwrap();
        }
        assert_eq!(add(), Err(Error::DeviceMemory));
    }
}
