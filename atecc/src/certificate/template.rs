//! What the certificates of a product have in common.

use sha2::{Digest as _, Sha256};

use super::{
    Authority, Compressed, Der, IssueDate,
    authority::key_identifier,
    der::{
        BIT_STRING, BOOLEAN, GENERALIZED_TIME, OBJECT_IDENTIFIER, OCTET_STRING, PRINTABLE_STRING, SEQUENCE,
        SET, UTC_TIME, UTF8_STRING, Writer, explicit, implicit,
    },
};
use crate::{Digest, PublicKey, SerialNumber};

/// The definitions of device certificates, by the vendor's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Template {
    /// TNGTLS, template 2: common name `<serial> ATECC`.
    TngTls2,
    /// TNGTLS, template 3: common name `sn<serial>`, and an EUI-48 as alternative name.
    TngTls3,
    /// TFLXTLS, template 3: common name `sn<serial>`.
    TflxTls,
}

/// Whose key a device certificate certifies.
#[derive(Clone, Copy, Debug)]
pub struct Device {
    /// Nine bytes, in the common name.
    pub serial_number: SerialNumber,
    /// The certified key.
    pub public_key: PublicKey,
    /// Twelve ASCII digits, in the alternative name.
    pub eui48: Option<[u8; 12]>,
}

/// Whose key a signer certificate certifies.
#[derive(Clone, Copy, Debug)]
pub struct Signer {
    /// The certified key.
    pub public_key: PublicKey,
    /// Four hexadecimal digits, in the common name.
    pub id: u16,
}

impl Template {
    /// All templates, the one that the OTP code `hint` names first.
    pub(super) fn candidates(hint: &[u8; 8]) -> impl Iterator<Item = Self> {
        let first = match hint {
            b"Rsuy5YJh" | b"wdNxAjae" => Some(Self::TngTls2),
            b"KQp2ZkD8" | b"x6tjuZMy" => Some(Self::TngTls3),
            b"MKMwyhP1" => Some(Self::TflxTls),
            _ => None,
        };
        let others = [Self::TngTls3, Self::TngTls2, Self::TflxTls];
        first.into_iter().chain(others.into_iter().filter(move |&template| Some(template) != first))
    }

    /// The device certificate; `None` if the template needs an EUI-48 and the device has none.
    pub fn device(
        self,
        authority: &Authority,
        signer: &Signer,
        device: &Device,
        compressed: &Compressed,
    ) -> Option<Der> {
        let eui48 = match self {
            Self::TngTls3 => Some(device.eui48?),
            Self::TngTls2 | Self::TflxTls => None,
        };
        certificate(compressed, &device.public_key, |tbs| {
            tbs.nest(SEQUENCE, |name| signer_name(name, authority, compressed.signer_id));
            validity(tbs, compressed.dates);
            tbs.nest(SEQUENCE, |name| {
                attribute(name, ORGANIZATION, UTF8_STRING, &[authority.organization.as_bytes()]);
                let serial = device.serial_number.to_hex();
                let common_name: [&[u8]; 2] =
                    if self == Self::TngTls2 { [&serial, b" ATECC"] } else { [b"sn", &serial] };
                attribute(name, COMMON_NAME, UTF8_STRING, &common_name);
            });
            subject_public_key(tbs, &device.public_key);
            extensions(tbs, |list| {
                if let Some(eui48) = &eui48 {
                    extension(list, SUBJECT_ALT_NAME, false, |value| {
                        value.nest(SEQUENCE, |names| {
                            names.nest(explicit(4), |directory_name| {
                                directory_name.nest(SEQUENCE, |name| {
                                    attribute(name, SERIAL_NUMBER, PRINTABLE_STRING, &[b"eui48_", eui48]);
                                });
                            });
                        });
                    });
                }
                extension(list, BASIC_CONSTRAINTS, true, |value| value.value(SEQUENCE, &[]));
                extension(list, KEY_USAGE, true, |value| {
                    value.value(BIT_STRING, &DIGITAL_SIGNATURE_AND_AGREEMENT)
                });
                key_identifiers(list, &device.public_key, &signer.public_key);
            });
        })
    }
}

/// The certificate of a signer, issued by the authority's root.
pub(super) fn signer(authority: &Authority, signer: &Signer, compressed: &Compressed) -> Option<Der> {
    certificate(compressed, &signer.public_key, |tbs| {
        tbs.nest(SEQUENCE, |name| {
            attribute(name, ORGANIZATION, UTF8_STRING, &[authority.organization.as_bytes()]);
            attribute(name, COMMON_NAME, UTF8_STRING, &[authority.root_common_name.as_bytes()]);
        });
        validity(tbs, compressed.dates);
        tbs.nest(SEQUENCE, |name| signer_name(name, authority, signer.id));
        subject_public_key(tbs, &signer.public_key);
        extensions(tbs, |list| {
            extension(list, KEY_USAGE, true, |value| value.value(BIT_STRING, &CERT_AND_CRL_SIGN));
            extension(list, BASIC_CONSTRAINTS, true, |value| {
                value.nest(SEQUENCE, |constraints| {
                    constraints.value(BOOLEAN, &[0xff]);
                    constraints.unsigned(&[0]);
                });
            });
            key_identifiers(list, &signer.public_key, &authority.root_public_key);
        });
    })
}

impl Signer {
    /// The certificate of this signer, issued by the authority's root; `None` if the names are too long.
    pub fn certificate(&self, authority: &Authority, compressed: &Compressed) -> Option<Der> {
        signer(authority, self, compressed)
    }
}

/// The to-be-signed part of a certificate of these templates: the first value inside of the outer sequence.
pub fn to_be_signed(certificate: &[u8]) -> Option<&[u8]> {
    // Both lengths are over 255 and under 65536: four bytes of header each.
    let inner = certificate.get(4..)?;
    let header: [u8; 4] = inner.get(..4)?.try_into().ok()?;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if certificate[..2] != [SEQUENCE, 0x82] || header[..2] != [SEQUENCE, 0x82] {
        return None;
    }
    inner.get(..4 + length)
}

/// SHA-256 over the concatenation of `parts`.
pub(super) fn sha256(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const PRIME256V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SERIAL_NUMBER: &[u8] = &[0x55, 0x04, 0x05];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];

/// KeyUsage of devices: three unused bits, then digitalSignature and keyAgreement.
const DIGITAL_SIGNATURE_AND_AGREEMENT: [u8; 2] = [0x03, 0x88];
/// KeyUsage of signers: one unused bit, then digitalSignature, keyCertSign and cRLSign.
const CERT_AND_CRL_SIGN: [u8; 2] = [0x01, 0x86];

/// A certificate with the fields from issuer to extensions that `fields` writes.
fn certificate(compressed: &Compressed, key: &PublicKey, fields: impl FnOnce(&mut Writer)) -> Option<Der> {
    let mut writer = Writer::default();
    writer.nest(SEQUENCE, |certificate| {
        certificate.nest(SEQUENCE, |tbs| {
            tbs.nest(explicit(0), |version| version.unsigned(&[2]));
            tbs.unsigned(&serial_number(key, compressed.dates));
            algorithm(tbs);
            fields(tbs);
        });
        algorithm(certificate);
        certificate.nest(BIT_STRING, |bits| {
            bits.raw(&[0x00]);
            bits.nest(SEQUENCE, |signature| {
                signature.unsigned(compressed.signature.r());
                signature.unsigned(compressed.signature.s());
            });
        });
    });
    writer.finish()
}

/// The certificate's own serial number, source 0xA: from the hash of the key and the packed dates, with the
/// two highest bits 01 so that it is positive and sixteen bytes long.
fn serial_number(key: &PublicKey, dates: IssueDate) -> [u8; 16] {
    let digest = sha256(&[key.as_bytes(), &dates.pack()]);
    let mut serial = [0; 16];
    serial.copy_from_slice(&digest[..16]);
    serial[0] = serial[0] & 0x7f | 0x40;
    serial
}

fn algorithm(writer: &mut Writer) {
    writer.nest(SEQUENCE, |algorithm| algorithm.value(OBJECT_IDENTIFIER, ECDSA_WITH_SHA256));
}

fn signer_name(name: &mut Writer, authority: &Authority, id: u16) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digits = [12, 8, 4, 0].map(|shift| DIGITS[usize::from(id >> shift & 0x0f)]);
    attribute(name, ORGANIZATION, UTF8_STRING, &[authority.organization.as_bytes()]);
    attribute(name, COMMON_NAME, UTF8_STRING, &[authority.signer_common_name.as_bytes(), &digits]);
}

fn attribute(name: &mut Writer, kind: &[u8], string_type: u8, value: &[&[u8]]) {
    name.nest(SET, |set| {
        set.nest(SEQUENCE, |pair| {
            pair.value(OBJECT_IDENTIFIER, kind);
            pair.nest(string_type, |string| value.iter().for_each(|part| string.raw(part)));
        });
    });
}

/// notBefore as UTCTime, notAfter as GeneralizedTime, on the hour, whatever the year.
fn validity(tbs: &mut Writer, dates: IssueDate) {
    let digits = |value: u16| [b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8];
    let rest = [u16::from(dates.month), u16::from(dates.day), u16::from(dates.hour), 0, 0].map(digits);
    tbs.nest(SEQUENCE, |validity| {
        validity.nest(UTC_TIME, |time| {
            time.raw(&digits(dates.year % 100));
            time.raw(rest.as_flattened());
            time.raw(b"Z");
        });
        validity.nest(GENERALIZED_TIME, |time| match dates.expire_year() {
            Some(year) => {
                time.raw(&digits(year / 100));
                time.raw(&digits(year % 100));
                time.raw(rest.as_flattened());
                time.raw(b"Z");
            }
            None => time.raw(b"99991231235959Z"),
        });
    });
}

fn subject_public_key(tbs: &mut Writer, key: &PublicKey) {
    tbs.nest(SEQUENCE, |info| {
        info.nest(SEQUENCE, |algorithm| {
            algorithm.value(OBJECT_IDENTIFIER, EC_PUBLIC_KEY);
            algorithm.value(OBJECT_IDENTIFIER, PRIME256V1);
        });
        info.nest(BIT_STRING, |bits| {
            bits.raw(&[0x00]);
            bits.raw(&key.to_sec1());
        });
    });
}

fn extensions(tbs: &mut Writer, list: impl FnOnce(&mut Writer)) {
    tbs.nest(explicit(3), |outer| outer.nest(SEQUENCE, list));
}

fn extension(list: &mut Writer, kind: &[u8], is_critical: bool, value: impl FnOnce(&mut Writer)) {
    list.nest(SEQUENCE, |extension| {
        extension.value(OBJECT_IDENTIFIER, kind);
        if is_critical {
            extension.value(BOOLEAN, &[0xff]);
        }
        extension.nest(OCTET_STRING, value);
    });
}

fn key_identifiers(list: &mut Writer, subject: &PublicKey, issuer: &PublicKey) {
    extension(list, SUBJECT_KEY_IDENTIFIER, false, |value| {
        value.value(OCTET_STRING, &key_identifier(subject));
    });
    extension(list, AUTHORITY_KEY_IDENTIFIER, false, |value| {
        value.nest(SEQUENCE, |identifier| identifier.value(implicit(0), &key_identifier(issuer)));
    });
}
