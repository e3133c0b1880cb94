//! What the certificates of a product have in common.

use sha2::{Digest as _, Sha256};

use super::{
    Authority, Compressed, Der, IssueDate, LoraDevice,
    authority::key_identifier,
    date::Format,
    der::{
        BIT_STRING, BOOLEAN, GENERALIZED_TIME, OCTET_STRING, PRINTABLE_STRING, Reader, SEQUENCE, UTC_TIME,
        UTF8_STRING, Writer, explicit, implicit,
    },
    x509::{
        COMMON_NAME, KEY_USAGE, ORGANIZATION, SERIAL_NUMBER, SUBJECT_ALT_NAME, algorithm, attribute,
        extension, signature, subject_public_key,
    },
};
use crate::{Digest, PublicKey, SerialNumber};

/// The definitions of device certificates, by the vendor's names and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Template {
    /// TNGTLS, template 2: common name `<serial> ATECC`.
    TngTls2,
    /// TNGTLS, template 3: common name `sn<serial>`, and an EUI-48 as alternative name.
    TngTls3,
    /// TFLXTLS, template 3: common name `sn<serial>`.
    TflxTls,
    /// TNGLORA, template 2: the certificate of [`TngTls2`](Self::TngTls2), stored elsewhere.
    TngLora2,
    /// TNGLORA, template 4: common name `sn<serial>`, and an EUI-64 as alternative name.
    TngLora4,
}

/// Where a product keeps its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Trust&GO and TrustFLEX TLS: [`StoredIdentity`](super::StoredIdentity).
    Tls,
    /// Trust&GO LoRaWAN: [`StoredLora`](super::StoredLora).
    Lora,
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

/// The template number of signer certificates, whatever the product.
pub(super) const SIGNER_TEMPLATE_ID: u8 = 1;

impl Template {
    /// All templates, later ones first.
    const ALL: [Self; 5] = [Self::TngTls3, Self::TngTls2, Self::TflxTls, Self::TngLora4, Self::TngLora2];

    /// The template of the product with this OTP code, the first eight bytes of the OTP zone.
    ///
    /// Parts whose code the vendor's library does not list have one of the templates nevertheless.
    pub const fn from_otp_code(code: &[u8; 8]) -> Option<Self> {
        match code {
            b"Rsuy5YJh" | b"wdNxAjae" => Some(Self::TngTls2),
            b"KQp2ZkD8" | b"x6tjuZMy" => Some(Self::TngTls3),
            b"MKMwyhP1" => Some(Self::TflxTls),
            b"BxZvm6q2" => Some(Self::TngLora2),
            b"jsMu7iYO" | b"09qJNxI3" => Some(Self::TngLora4),
            _ => None,
        }
    }

    /// Where products with this template keep their identity.
    pub const fn family(self) -> Family {
        match self {
            Self::TngTls2 | Self::TngTls3 | Self::TflxTls => Family::Tls,
            Self::TngLora2 | Self::TngLora4 => Family::Lora,
        }
    }

    /// The template number in byte 69 of a compressed certificate. Two products share number 3.
    pub const fn id(self) -> u8 {
        match self {
            Self::TngTls2 | Self::TngLora2 => 2,
            Self::TngTls3 | Self::TflxTls => 3,
            Self::TngLora4 => 4,
        }
    }

    /// The templates of `family`, the one that the OTP code `hint` names first.
    pub(super) fn candidates(family: Family, hint: &[u8; 8]) -> impl Iterator<Item = Self> {
        let first = Self::from_otp_code(hint).filter(|template| template.family() == family);
        let others = Self::ALL.into_iter().filter(move |template| template.family() == family);
        first.into_iter().chain(others.filter(move |&template| Some(template) != first))
    }

    /// The device certificate; `None` if the template needs an EUI that the device does not have, the issue is
    /// after 2049, the dates do not fit the format, or the names are too long.
    pub fn device(
        self,
        authority: &Authority,
        signer: &Signer,
        device: &Device,
        compressed: &Compressed,
    ) -> Option<Der> {
        self.certificate(authority, &signer.public_key, &device.into(), compressed)
    }

    /// The device certificate of a LoRaWAN part; `None` as with [`device`](Self::device).
    pub fn lora_device(
        self,
        authority: &Authority,
        signer: &Signer,
        device: &LoraDevice,
        compressed: &Compressed,
    ) -> Option<Der> {
        self.certificate(authority, &signer.public_key, &device.into(), compressed)
    }

    pub(super) fn certificate(
        self,
        authority: &Authority,
        signer: &PublicKey,
        subject: &Subject,
        compressed: &Compressed,
    ) -> Option<Der> {
        let eui = self.eui(subject)?;
        let serial = subject.serial_number.to_hex();
        let common_name: [&[u8]; 2] = match self {
            Self::TngTls2 | Self::TngLora2 => [&serial, b" ATECC"],
            Self::TngTls3 | Self::TflxTls | Self::TngLora4 => [b"sn", &serial],
        };
        certificate(compressed, &subject.public_key, |tbs| {
            tbs.nest(SEQUENCE, |name| signer_name(name, authority, compressed.signer_id));
            validity(tbs, compressed.dates);
            tbs.nest(SEQUENCE, |name| {
                attribute(name, ORGANIZATION, UTF8_STRING, &[authority.organization.as_bytes()]);
                attribute(name, COMMON_NAME, UTF8_STRING, &common_name);
            });
            subject_public_key(tbs, &subject.public_key);
            extensions(tbs, |list| {
                if let Some(eui) = &eui {
                    alternative_name(list, eui);
                }
                extension(list, BASIC_CONSTRAINTS, true, |value| value.value(SEQUENCE, &[]));
                extension(list, KEY_USAGE, true, |value| {
                    value.value(BIT_STRING, &DIGITAL_SIGNATURE_AND_AGREEMENT)
                });
                key_identifiers(list, &subject.public_key, signer);
            });
        })
    }

    /// What stands in the alternative name: nothing in some templates, and in others what the subject must have.
    fn eui(self, subject: &Subject) -> Option<Option<Eui>> {
        match (self, subject.eui) {
            (Self::TngTls2 | Self::TflxTls | Self::TngLora2, _) => Some(None),
            (Self::TngTls3, Some(eui @ Eui::Eui48(_))) | (Self::TngLora4, Some(eui @ Eui::Eui64(_))) => {
                Some(Some(eui))
            }
            (Self::TngTls3 | Self::TngLora4, _) => None,
        }
    }
}

impl Signer {
    /// The certificate of this signer, issued by the authority's root; `None` if the issue is after 2049, the
    /// dates do not fit the format, or the names are too long.
    pub fn certificate(&self, authority: &Authority, compressed: &Compressed) -> Option<Der> {
        certificate(compressed, &self.public_key, |tbs| {
            tbs.nest(SEQUENCE, |name| {
                attribute(name, ORGANIZATION, UTF8_STRING, &[authority.organization.as_bytes()]);
                attribute(name, COMMON_NAME, UTF8_STRING, &[authority.root_common_name.as_bytes()]);
            });
            validity(tbs, compressed.dates);
            tbs.nest(SEQUENCE, |name| signer_name(name, authority, self.id));
            subject_public_key(tbs, &self.public_key);
            extensions(tbs, |list| {
                extension(list, KEY_USAGE, true, |value| value.value(BIT_STRING, &CERT_AND_CRL_SIGN));
                extension(list, BASIC_CONSTRAINTS, true, |value| {
                    value.nest(SEQUENCE, |constraints| {
                        constraints.value(BOOLEAN, &[0xff]);
                        constraints.unsigned(&[0]);
                    });
                });
                key_identifiers(list, &self.public_key, &authority.root_public_key);
            });
        })
    }
}

/// Whose key a device certificate certifies, of any family.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub(super) serial_number: SerialNumber,
    pub(super) public_key: PublicKey,
    pub(super) eui: Option<Eui>,
}

/// A number that the IEEE gives out, in ASCII digits as the chip stores it.
#[derive(Clone, Copy)]
pub(super) enum Eui {
    Eui48([u8; 12]),
    Eui64([u8; 16]),
}

impl From<&Device> for Subject {
    fn from(device: &Device) -> Self {
        let Device { serial_number, public_key, eui48 } = *device;
        Self { serial_number, public_key, eui: eui48.map(Eui::Eui48) }
    }
}

impl From<&LoraDevice> for Subject {
    fn from(device: &LoraDevice) -> Self {
        let LoraDevice { serial_number, public_key, eui64 } = *device;
        Self { serial_number, public_key, eui: eui64.map(Eui::Eui64) }
    }
}

/// The to-be-signed part of a certificate of these templates: the first value inside of the outer sequence.
pub fn to_be_signed(certificate: &[u8]) -> Option<&[u8]> {
    Reader::new(certificate).nest(SEQUENCE)?.whole(SEQUENCE)
}

/// SHA-256 over the concatenation of `parts`.
pub(crate) fn sha256(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

/// The certificate's own serial number, source 0xA (DS20006367A, section 2.7.2): from the hash of the key and
/// the packed dates, with the two highest bits 01 so that it is positive and sixteen bytes long.
pub(super) fn serial_number(key: &PublicKey, dates: IssueDate, format: Format) -> [u8; 16] {
    let extension = [dates.pack_extension()];
    let extension: &[u8] = match format {
        Format::Plain => &[],
        Format::Extended => &extension,
    };
    let digest = sha256(&[key.as_bytes(), &dates.pack(), extension]);
    let mut serial = [0; 16];
    serial.copy_from_slice(&digest[..16]);
    serial[0] = serial[0] & 0x7f | 0x40;
    serial
}

/// What stands before the digits of an EUI in an alternative name.
pub(super) const EUI48_PREFIX: &[u8] = b"eui48_";
pub(super) const EUI64_PREFIX: &[u8] = b"eui64_";

const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];

/// KeyUsage of devices: three unused bits, then digitalSignature and keyAgreement.
const DIGITAL_SIGNATURE_AND_AGREEMENT: [u8; 2] = [0x03, 0x88];
/// KeyUsage of signers: one unused bit, then digitalSignature, keyCertSign and cRLSign.
const CERT_AND_CRL_SIGN: [u8; 2] = [0x01, 0x86];

/// A certificate with the fields from issuer to extensions that `fields` writes.
fn certificate(compressed: &Compressed, key: &PublicKey, fields: impl FnOnce(&mut Writer)) -> Option<Der> {
    // Without a time there is no certificate; the fields below rely on it.
    compressed.dates.utc_time()?;
    if compressed.dates.format() > compressed.format {
        return None;
    }
    let mut writer = Writer::default();
    writer.nest(SEQUENCE, |certificate| {
        certificate.nest(SEQUENCE, |tbs| {
            tbs.nest(explicit(0), |version| version.unsigned(&[2]));
            tbs.unsigned(&serial_number(key, compressed.dates, compressed.format));
            algorithm(tbs);
            fields(tbs);
        });
        algorithm(certificate);
        signature(certificate, &compressed.signature);
    });
    writer.finish()
}

fn signer_name(name: &mut Writer, authority: &Authority, id: u16) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digits = [12, 8, 4, 0].map(|shift| DIGITS[usize::from(id >> shift & 0x0f)]);
    attribute(name, ORGANIZATION, UTF8_STRING, &[authority.organization.as_bytes()]);
    attribute(name, COMMON_NAME, UTF8_STRING, &[authority.signer_common_name.as_bytes(), &digits]);
}

/// notBefore as UTCTime, notAfter as GeneralizedTime, on the hour: the templates say so, whatever the year.
fn validity(tbs: &mut Writer, dates: IssueDate) {
    tbs.nest(SEQUENCE, |validity| {
        validity.value(UTC_TIME, &dates.utc_time().unwrap_or_default());
        validity.value(GENERALIZED_TIME, &dates.generalized_time());
    });
}

fn extensions(tbs: &mut Writer, list: impl FnOnce(&mut Writer)) {
    tbs.nest(explicit(3), |outer| outer.nest(SEQUENCE, list));
}

/// SubjectAltName: a directory name whose serial number is the EUI.
fn alternative_name(list: &mut Writer, eui: &Eui) {
    let value: [&[u8]; 2] = match eui {
        Eui::Eui48(digits) => [EUI48_PREFIX, digits],
        Eui::Eui64(digits) => [EUI64_PREFIX, digits],
    };
    extension(list, SUBJECT_ALT_NAME, false, |extension| {
        extension.nest(SEQUENCE, |names| {
            names.nest(explicit(4), |directory_name| {
                directory_name.nest(SEQUENCE, |name| {
                    attribute(name, SERIAL_NUMBER, PRINTABLE_STRING, &value);
                });
            });
        });
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

#[cfg(test)]
mod tests;
