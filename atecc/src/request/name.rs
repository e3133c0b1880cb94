//! The subject's name (RFC 5280, section 4.1.2.4 and appendix A).

use super::{MAX_REQUEST, RequestError};
use crate::certificate::{
    der::{PRINTABLE_STRING, UTF8_STRING, Writer},
    x509::{COMMON_NAME, ORGANIZATION, SERIAL_NUMBER, attribute},
};

/// An attribute of the subject's name.
///
/// Country and serial number are PrintableString, because RFC 5280 gives no choice; all others are UTF8String.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attribute<'a> {
    /// CN, up to 64 characters.
    CommonName(&'a str),
    /// O, up to 64 characters.
    Organization(&'a str),
    /// OU, up to 64 characters.
    OrganizationalUnit(&'a str),
    /// C, two capital letters of ISO 3166.
    Country(&'a str),
    /// ST, up to 128 characters.
    State(&'a str),
    /// L, up to 128 characters.
    Locality(&'a str),
    /// serialNumber: that of the device, not that of the certificate. Up to 64 characters.
    SerialNumber(&'a str),
}

impl Attribute<'_> {
    /// The bounds and character sets of RFC 5280, appendix A.1. Control characters have no business in a name: a
    /// zero byte in one ends it for some readers and not for others.
    pub(super) fn check(&self) -> Result<(), RequestError> {
        let Form { name, longest, string_type, .. } = self.form();
        let value = self.value();
        if value.is_empty() || value.chars().count() > longest {
            return Err(RequestError::Length { field: name, longest });
        }
        let allowed = match self {
            Self::Country(_) if value.len() != 2 || !value.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                "two capital letters of ISO 3166, such as DE,"
            }
            _ if string_type == PRINTABLE_STRING && !value.bytes().all(is_printable) => {
                "letters without accents, digits, spaces and '()+,-./:=?"
            }
            _ if value.chars().any(char::is_control) => "characters that can be seen",
            _ => return Ok(()),
        };
        Err(RequestError::Characters { field: name, allowed })
    }

    pub(super) fn write(&self, name: &mut Writer<MAX_REQUEST>) {
        let Form { kind, string_type, .. } = self.form();
        attribute(name, kind, string_type, &[self.value().as_bytes()]);
    }

    const fn value(&self) -> &str {
        match self {
            Self::CommonName(value)
            | Self::Organization(value)
            | Self::OrganizationalUnit(value)
            | Self::Country(value)
            | Self::State(value)
            | Self::Locality(value)
            | Self::SerialNumber(value) => value,
        }
    }

    const fn form(&self) -> Form {
        let (name, kind, string_type, longest) = match self {
            Self::CommonName(_) => ("commonName", COMMON_NAME, UTF8_STRING, 64),
            Self::Organization(_) => ("organizationName", ORGANIZATION, UTF8_STRING, 64),
            Self::OrganizationalUnit(_) => ("organizationalUnitName", ORGANIZATIONAL_UNIT, UTF8_STRING, 64),
            Self::Country(_) => ("countryName", COUNTRY, PRINTABLE_STRING, 2),
            Self::State(_) => ("stateOrProvinceName", STATE, UTF8_STRING, 128),
            Self::Locality(_) => ("localityName", LOCALITY, UTF8_STRING, 128),
            Self::SerialNumber(_) => ("serialNumber", SERIAL_NUMBER, PRINTABLE_STRING, 64),
        };
        Form { name, kind, string_type, longest }
    }
}

/// How an attribute is written.
struct Form {
    name: &'static str,
    kind: &'static [u8],
    string_type: u8,
    longest: usize,
}

const COUNTRY: &[u8] = &[0x55, 0x04, 0x06];
const LOCALITY: &[u8] = &[0x55, 0x04, 0x07];
const STATE: &[u8] = &[0x55, 0x04, 0x08];
const ORGANIZATIONAL_UNIT: &[u8] = &[0x55, 0x04, 0x0b];

/// The characters of PrintableString (X.680, section 41.4).
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte)
}
