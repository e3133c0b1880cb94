//! The way back: from certificates to what the chip stores of them.

use super::{
    Authority, CertificateError, Compressed, Der, IssueDate, StoredIdentity, StoredLora, Template,
    date::Format,
    der::{
        BIT_STRING, BOOLEAN, GENERALIZED_TIME, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, PRINTABLE_STRING,
        Reader, SEQUENCE, SET, UTC_TIME, UTF8_STRING, explicit,
    },
    rebuild, rebuild_lora,
    template::{EUI48_PREFIX, EUI64_PREFIX, SIGNER_TEMPLATE_ID, serial_number},
    x509::{COMMON_NAME, SERIAL_NUMBER, SUBJECT_ALT_NAME},
};
use crate::{PublicKey, SerialNumber, Signature};

/// What a TLS part with these certificates (DER) stores, and the template that they fit.
///
/// [`rebuild`] gives the same bytes again; that is how it is checked, so nothing comes out whose signatures do
/// not verify. The chain number, which no certificate shows, is 0 as on all parts that the vendor sells.
///
/// # Errors
/// When the certificates are not those of a known template, or not issued under one of the `authorities`.
pub fn compress(
    device: &[u8],
    signer: &[u8],
    authorities: &[&'static Authority],
) -> Result<(StoredIdentity, Template), CertificateError> {
    let mut pieces = Pieces::of(device, signer).ok_or(CertificateError::NoTemplate)?;
    let mut stored = StoredIdentity {
        serial_number: pieces.serial_number,
        public_key: pieces.public_key,
        device: pieces.device(),
        signer_public_key: pieces.signer_public_key,
        signer: pieces.signer,
        eui48: pieces.eui(EUI48_PREFIX),
    };
    let chain = rebuild(&stored, NO_HINT, authorities)?;
    let template = confirm([&chain.device, &chain.signer], [device, signer], chain.template)?;
    pieces.compressed.template_id = template.id();
    stored.device = pieces.device();
    Ok((stored, template))
}

/// What a LoRaWAN part with these certificates (DER) stores, and the template that they fit; see [`compress`].
///
/// # Errors
/// As with [`compress`].
pub fn compress_lora(
    device: &[u8],
    signer: &[u8],
    authorities: &[&'static Authority],
) -> Result<(StoredLora, Template), CertificateError> {
    let mut pieces = Pieces::of(device, signer).ok_or(CertificateError::NoTemplate)?;
    let mut stored = StoredLora {
        serial_number: pieces.serial_number,
        public_key: pieces.public_key,
        certificates: [pieces.signer_public_key, pieces.device(), pieces.signer],
        eui64: pieces.eui(EUI64_PREFIX),
    };
    let chain = rebuild_lora(&stored, NO_HINT, authorities)?;
    let template = confirm([&chain.device, &chain.signer], [device, signer], chain.template)?;
    pieces.compressed.template_id = template.id();
    stored.certificates[1] = pieces.device();
    Ok((stored, template))
}

/// No product has this OTP code, so all templates are tried.
const NO_HINT: &[u8; 8] = &[0; 8];

fn confirm(rebuilt: [&Der; 2], wanted: [&[u8]; 2], template: Template) -> Result<Template, CertificateError> {
    let is_same = rebuilt.iter().zip(wanted).all(|(rebuilt, wanted)| ***rebuilt == *wanted);
    is_same.then_some(template).ok_or(CertificateError::NoTemplate)
}

/// What differs from chip to chip, of both certificates.
struct Pieces<'a> {
    serial_number: SerialNumber,
    public_key: PublicKey,
    compressed: Compressed,
    signer_public_key: [u8; 72],
    signer: [u8; 72],
    alternative_name: Option<&'a [u8]>,
}

impl<'a> Pieces<'a> {
    fn of(device: &'a [u8], signer: &'a [u8]) -> Option<Self> {
        let (device, signer) = (Parsed::of(device)?, Parsed::of(signer)?);
        let signer_id = u16_from_hex(signer.common_name.last_chunk()?)?;
        let compressed = |parsed: &Parsed, template_id| {
            Some(Compressed {
                signature: parsed.signature,
                format: parsed.format()?,
                dates: parsed.dates,
                signer_id,
                template_id,
                chain_id: 0,
            })
        };
        let mut padded = [0; 72];
        let (x, y) = signer.public_key.as_bytes().split_at(32);
        padded[4..36].copy_from_slice(x);
        padded[40..].copy_from_slice(y);
        Some(Self {
            serial_number: chip_serial_number(device.common_name)?,
            public_key: device.public_key,
            // Which template it is shows later; rebuilding does not depend on the number.
            compressed: compressed(&device, 0)?,
            signer_public_key: padded,
            signer: compressed(&signer, SIGNER_TEMPLATE_ID)?.to_bytes(),
            alternative_name: device.alternative_name,
        })
    }

    fn device(&self) -> [u8; 72] {
        self.compressed.to_bytes()
    }

    /// The digits behind `prefix` in the alternative name.
    fn eui<const N: usize>(&self, prefix: &[u8]) -> Option<[u8; N]> {
        self.alternative_name?.strip_prefix(prefix)?.try_into().ok()
    }
}

/// The fields of a certificate that are not the same in all of them.
struct Parsed<'a> {
    serial_number: &'a [u8],
    dates: IssueDate,
    common_name: &'a [u8],
    public_key: PublicKey,
    /// The serial number in a directory name.
    alternative_name: Option<&'a [u8]>,
    signature: Signature,
}

impl<'a> Parsed<'a> {
    /// Only what is looked for is checked: whatever else differs shows when the certificate is rebuilt.
    fn of(der: &'a [u8]) -> Option<Self> {
        let mut certificate = Reader::new(der).nest(SEQUENCE)?;
        let mut tbs = certificate.nest(SEQUENCE)?;
        tbs.value(explicit(0))?;
        let serial_number = tbs.value(INTEGER)?;
        tbs.value(SEQUENCE)?;
        let _issuer = tbs.value(SEQUENCE)?;
        let mut validity = tbs.nest(SEQUENCE)?;
        let dates = IssueDate::parse(validity.value(UTC_TIME)?, validity.value(GENERALIZED_TIME)?)?;
        let common_name = attribute(tbs.nest(SEQUENCE)?, COMMON_NAME, UTF8_STRING)?;
        let mut key = tbs.nest(SEQUENCE)?;
        key.value(SEQUENCE)?;
        let point = key.value(BIT_STRING)?.strip_prefix(&[0x00, 0x04])?;
        let extensions = tbs.nest(explicit(3))?.nest(SEQUENCE)?;
        certificate.value(SEQUENCE)?;
        let mut integers =
            Reader::new(certificate.value(BIT_STRING)?.strip_prefix(&[0x00])?).nest(SEQUENCE)?;
        let mut r_s = [0; 64];
        for half in r_s.chunks_exact_mut(32) {
            unsigned(integers.value(INTEGER)?, half)?;
        }
        Some(Self {
            serial_number,
            dates,
            common_name,
            public_key: PublicKey::from_bytes(point.try_into().ok()?),
            alternative_name: alternative_name(extensions),
            signature: Signature::from_bytes(r_s),
        })
    }

    /// The format whose serial number the certificate has: nothing else in it shows the version.
    fn format(&self) -> Option<Format> {
        let serial = |format| serial_number(&self.public_key, self.dates, format);
        [self.dates.format(), Format::Extended]
            .into_iter()
            .find(|&format| serial(format) == *self.serial_number)
    }
}

/// The value of the first attribute of this kind in a name.
fn attribute<'a>(mut name: Reader<'a>, kind: &[u8], string_type: u8) -> Option<&'a [u8]> {
    loop {
        let mut pair = name.nest(SET)?.nest(SEQUENCE)?;
        if pair.value(OBJECT_IDENTIFIER)? == kind {
            return pair.value(string_type);
        }
    }
}

/// The serial number of the directory name in the alternative name, if there is one.
fn alternative_name(mut extensions: Reader<'_>) -> Option<&[u8]> {
    loop {
        let mut extension = extensions.nest(SEQUENCE)?;
        let kind = extension.value(OBJECT_IDENTIFIER)?;
        // The critical flag is there or not.
        let _ = extension.value(BOOLEAN);
        if kind == SUBJECT_ALT_NAME {
            let mut names = extension.nest(OCTET_STRING)?.nest(SEQUENCE)?;
            let directory_name = names.nest(explicit(4))?.nest(SEQUENCE)?;
            return attribute(directory_name, SERIAL_NUMBER, PRINTABLE_STRING);
        }
    }
}

/// Puts the content of an INTEGER into `big_endian`, right-aligned.
fn unsigned(integer: &[u8], big_endian: &mut [u8]) -> Option<()> {
    let digits = integer.strip_prefix(&[0x00]).unwrap_or(integer);
    let start = big_endian.len().checked_sub(digits.len())?;
    big_endian.get_mut(start..)?.copy_from_slice(digits);
    Some(())
}

/// The chip's serial number in the common name of its certificate, `sn<serial>` or `<serial> ATECC`.
fn chip_serial_number(common_name: &[u8]) -> Option<SerialNumber> {
    let digits = common_name.strip_prefix(b"sn").or_else(|| common_name.strip_suffix(b" ATECC"))?;
    let digits: &[u8; 18] = digits.try_into().ok()?;
    let mut serial = [0; 9];
    for (byte, pair) in serial.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().try_fold(0, |byte, &digit| Some(byte << 4 | nibble(digit)?))?;
    }
    Some(SerialNumber::from_bytes(serial))
}

fn u16_from_hex(digits: &[u8; 4]) -> Option<u16> {
    digits.iter().try_fold(0, |number, &digit| Some(number << 4 | u16::from(nibble(digit)?)))
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
