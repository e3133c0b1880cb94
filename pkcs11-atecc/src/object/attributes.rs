//! The attributes of one object, each as the bytes that C_GetAttributeValue copies.

use cryptoki_sys::{CK_ATTRIBUTE_TYPE, CK_BBOOL, CK_ULONG};

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// As the application gets it: a CK_BBOOL, a CK_ULONG in the byte order of the host, an array of them, a
    /// string, DER.
    Plain(Vec<u8>),
    /// It exists, inside the chip.
    Sensitive,
}

/// Attributes by type.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes(Vec<(CK_ATTRIBUTE_TYPE, Value)>);

impl Attributes {
    /// The value of `attribute`.
    pub(super) fn get(&self, attribute: CK_ATTRIBUTE_TYPE) -> Option<&Value> {
        self.0.iter().find(|(present, _)| *present == attribute).map(|(_, value)| value)
    }

    /// With an array of bytes, a string, or DER.
    pub(super) fn bytes(self, attribute: CK_ATTRIBUTE_TYPE, value: &[u8]) -> Self {
        self.with(attribute, Value::Plain(value.to_vec()))
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
        self.with(attribute, Value::Plain(bytes))
    }

    /// With a value that stays inside the chip.
    pub(super) fn sensitive(self, attribute: CK_ATTRIBUTE_TYPE) -> Self {
        self.with(attribute, Value::Sensitive)
    }

    /// Gives another value to an attribute.
    pub(super) fn set(&mut self, attribute: CK_ATTRIBUTE_TYPE, value: &[u8]) {
        let new = Value::Plain(value.to_vec());
        match self.0.iter_mut().find(|(present, _)| *present == attribute) {
            Some((_, present)) => *present = new,
            None => self.0.push((attribute, new)),
        }
    }

    /// How many bytes the values have that an application can read.
    pub(super) fn size(&self) -> usize {
        let sizes = self.0.iter().map(|(_, value)| match value {
            Value::Plain(bytes) => bytes.len(),
            Value::Sensitive => 0,
        });
        sizes.sum()
    }

    fn with(mut self, attribute: CK_ATTRIBUTE_TYPE, value: Value) -> Self {
        self.0.push((attribute, value));
        self
    }
}
