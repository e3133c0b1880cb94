//! The attributes of one object, each as the bytes that C_GetAttributeValue copies.

use cryptoki_sys::{CK_ATTRIBUTE_TYPE, CK_BBOOL, CK_ULONG};
use zeroize::Zeroizing;

/// The value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// As the application gets it: a CK_BBOOL, a CK_ULONG in the byte order of the host, an array of them, a
    /// string, DER.
    Plain(&'a [u8]),
    /// It exists and never comes out.
    Sensitive,
    /// It is read from the chip when somebody asks.
    InChip,
}

/// Attributes by type.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes(Vec<(CK_ATTRIBUTE_TYPE, Kept)>);

#[derive(Clone, Debug)]
enum Kept {
    /// Overwritten when it goes: it may be the value of a secret key.
    Plain(Zeroizing<Vec<u8>>),
    Sensitive,
    InChip,
}

impl Attributes {
    /// The value of `attribute`.
    pub(super) fn get(&self, attribute: CK_ATTRIBUTE_TYPE) -> Option<Value<'_>> {
        self.0.iter().find(|(present, _)| *present == attribute).map(|(_, kept)| kept.value())
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (CK_ATTRIBUTE_TYPE, Value<'_>)> {
        self.0.iter().map(|(attribute, kept)| (*attribute, kept.value()))
    }

    /// With an array of bytes, a string, or DER.
    pub(super) fn bytes(self, attribute: CK_ATTRIBUTE_TYPE, value: &[u8]) -> Self {
        self.with(attribute, Kept::Plain(Zeroizing::new(value.to_vec())))
    }

    /// With a CK_BBOOL.
    pub(super) fn boolean(self, attribute: CK_ATTRIBUTE_TYPE, value: bool) -> Self {
        self.bytes(attribute, &CK_BBOOL::from(value).to_ne_bytes())
    }

    /// With a CK_ULONG.
    pub(super) fn number(self, attribute: CK_ATTRIBUTE_TYPE, value: CK_ULONG) -> Self {
        self.bytes(attribute, &value.to_ne_bytes())
    }

    /// With an array of CK_ULONG.
    pub(super) fn numbers(self, attribute: CK_ATTRIBUTE_TYPE, values: &[CK_ULONG]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
        self.with(attribute, Kept::Plain(Zeroizing::new(bytes)))
    }

    /// With an array of attributes that has none: templates for keys that are wrapped, unwrapped or derived.
    pub(super) fn empty_templates(self, attributes: &[CK_ATTRIBUTE_TYPE]) -> Self {
        attributes.iter().fold(self, |all, attribute| all.bytes(*attribute, &[]))
    }

    /// With a value that never comes out.
    pub(super) fn sensitive(self, attribute: CK_ATTRIBUTE_TYPE) -> Self {
        self.with(attribute, Kept::Sensitive)
    }

    /// With a value that is read from the chip when somebody asks.
    pub(super) fn in_chip(self, attribute: CK_ATTRIBUTE_TYPE) -> Self {
        self.with(attribute, Kept::InChip)
    }

    /// Gives another value to an attribute.
    pub(super) fn set(&mut self, attribute: CK_ATTRIBUTE_TYPE, value: &[u8]) {
        let new = Kept::Plain(Zeroizing::new(value.to_vec()));
        match self.0.iter_mut().find(|(present, _)| *present == attribute) {
            Some((_, present)) => *present = new,
            None => self.0.push((attribute, new)),
        }
    }

    /// How many bytes the values have that an application can read.
    pub(super) fn size(&self) -> usize {
        let sizes = self.0.iter().map(|(_, kept)| match kept {
            Kept::Plain(bytes) => bytes.len(),
            Kept::Sensitive | Kept::InChip => 0,
        });
        sizes.sum()
    }

    fn with(mut self, attribute: CK_ATTRIBUTE_TYPE, kept: Kept) -> Self {
        self.0.push((attribute, kept));
        self
    }
}

impl Kept {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Plain(bytes) => Value::Plain(bytes),
            Self::Sensitive => Value::Sensitive,
            Self::InChip => Value::InChip,
        }
    }
}
