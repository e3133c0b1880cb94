//! The extensions that a request asks for (RFC 5280, sections 4.2.1.3 and 4.2.1.6).

use core::{net::IpAddr, ops::BitOr};

use super::{MAX_REQUEST, RequestError};
use crate::certificate::{
    der::{BIT_STRING, SEQUENCE, Writer, implicit},
    x509::{KEY_USAGE, SUBJECT_ALT_NAME, extension},
};

/// Another name of the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AlternativeName<'a> {
    /// A host name; its first label may be `*`. Names with other letters come as `xn--` labels (RFC 5890).
    Dns(&'a str),
    /// An address.
    Ip(IpAddr),
    /// An absolute URI.
    Uri(&'a str),
    /// A mailbox, `local@host`.
    Email(&'a str),
}

impl AlternativeName<'_> {
    pub(super) fn check(&self) -> Result<(), RequestError> {
        let (field, value, longest, is_good, allowed) = match *self {
            Self::Ip(_) => return Ok(()),
            // 255 octets in the form of the DNS are 253 in text (RFC 1035, section 2.3.4).
            Self::Dns(value) => (
                "dNSName",
                value,
                253,
                is_host(value.strip_prefix("*.").unwrap_or(value)),
                "labels of letters, digits and hyphens, joined by dots,",
            ),
            Self::Uri(value) => (
                "uniformResourceIdentifier",
                value,
                MAX_REQUEST,
                is_uri(value),
                "a scheme, a colon, and the characters of RFC 3986",
            ),
            // RFC 5321, section 4.5.3.1: 256 with its angle brackets.
            Self::Email(value) => (
                "rfc822Name",
                value,
                254,
                is_mailbox(value),
                "one mailbox, local@host, without name, spaces or brackets,",
            ),
        };
        if value.is_empty() || value.len() > longest {
            return Err(RequestError::Length { field, longest });
        }
        if is_good { Ok(()) } else { Err(RequestError::Characters { field, allowed }) }
    }

    /// SubjectAltName with these names, if there are any.
    pub(super) fn write(names: &[Self], is_critical: bool, extensions: &mut Writer<MAX_REQUEST>) {
        if names.is_empty() {
            return;
        }
        extension(extensions, SUBJECT_ALT_NAME, is_critical, |value| {
            value.nest(SEQUENCE, |list| {
                for name in names {
                    match name {
                        Self::Email(text) => list.value(implicit(1), text.as_bytes()),
                        Self::Dns(text) => list.value(implicit(2), text.as_bytes()),
                        Self::Uri(text) => list.value(implicit(6), text.as_bytes()),
                        Self::Ip(IpAddr::V4(address)) => list.value(implicit(7), &address.octets()),
                        Self::Ip(IpAddr::V6(address)) => list.value(implicit(7), &address.octets()),
                    }
                }
            });
        });
    }
}

/// What a P-256 key may be for; `|` joins. The encipherments of RSA keys are none of them (RFC 5480, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage(u8);

impl KeyUsage {
    /// digitalSignature: TLS, MQTT, anything that is signed now and verified now.
    pub const DIGITAL_SIGNATURE: Self = Self(0x80);
    /// nonRepudiation, also called contentCommitment: signatures that are kept as evidence.
    pub const NON_REPUDIATION: Self = Self(0x40);
    /// keyAgreement: ECDH.
    pub const KEY_AGREEMENT: Self = Self(0x08);
    /// keyCertSign: an authority's key.
    pub const KEY_CERT_SIGN: Self = Self(0x04);
    /// cRLSign: an authority's key.
    pub const CRL_SIGN: Self = Self(0x02);

    /// A BIT STRING of named bits ends with its last one (X.690, section 11.2.2).
    pub(super) fn write(self, extensions: &mut Writer<MAX_REQUEST>) {
        let unused_bits = self.0.trailing_zeros() as u8;
        extension(extensions, KEY_USAGE, true, |value| value.value(BIT_STRING, &[unused_bits, self.0]));
    }
}

impl BitOr for KeyUsage {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The preferred syntax (RFC 1034, section 3.5, relaxed by RFC 1123, section 2.1).
fn is_host(name: &str) -> bool {
    name.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

/// Scheme and something after it, in the characters of RFC 3986.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(is_scheme)
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
}

/// A mailbox whose local part is a dot-string (RFC 5321, section 4.1.2).
fn is_mailbox(text: &str) -> bool {
    let is_atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    text.rsplit_once('@').is_some_and(|(local, host)| {
        local.len() <= 64
            && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom))
            && is_host(host)
    })
}
