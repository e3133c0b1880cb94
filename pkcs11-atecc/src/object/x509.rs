//! The fields of an X.509 certificate that attributes repeat, each in the bytes of the certificate itself
//! (RFC 5280, section 4.1).

use der::{
    DateTime, Decode as _, ErrorKind, Reader, Result, SliceReader, Tag,
    asn1::{GeneralizedTime, UtcTime},
};

/// Fields of a certificate.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    /// INTEGER, DER.
    pub(super) serial_number: &'a [u8],
    /// Name, DER.
    pub(super) issuer: &'a [u8],
    /// The first day, as a CK_DATE: eight digits.
    pub(super) not_before: [u8; 8],
    /// The last day.
    pub(super) not_after: [u8; 8],
    /// Name, DER.
    pub(super) subject: &'a [u8],
    /// SubjectPublicKeyInfo, DER.
    pub(super) public_key_info: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Finds the fields; signatures and extensions are not looked at.
    pub(super) fn parse(certificate: &'a [u8]) -> Result<Self> {
        let mut reader = SliceReader::new(certificate)?;
        let fields = reader.sequence(|certificate| {
            let fields = certificate.sequence(Self::to_be_signed)?;
            skip_rest(certificate)?;
            Ok::<_, der::Error>(fields)
        })?;
        reader.finish()?;
        Ok(fields)
    }

    fn to_be_signed(fields: &mut SliceReader<'a>) -> Result<Self> {
        // Version 1 does not tell its version.
        if Tag::peek(fields)?.is_context_specific() {
            fields.tlv_bytes()?;
        }
        let serial_number = fields.tlv_bytes()?;
        let _algorithm = fields.tlv_bytes()?;
        let issuer = fields.tlv_bytes()?;
        let (not_before, not_after) =
            fields.sequence(|validity| Ok::<_, der::Error>((day(validity)?, day(validity)?)))?;
        let subject = fields.tlv_bytes()?;
        let public_key_info = fields.tlv_bytes()?;
        skip_rest(fields)?;
        Ok(Self { serial_number, issuer, not_before, not_after, subject, public_key_info })
    }
}

fn skip_rest<'a>(reader: &mut SliceReader<'a>) -> Result<()> {
    while !reader.is_finished() {
        reader.tlv_bytes()?;
    }
    Ok(())
}

/// A Time as the digits of year, month and day.
fn day<'a>(validity: &mut SliceReader<'a>) -> Result<[u8; 8]> {
    let time: DateTime = match Tag::peek(validity)? {
        Tag::UtcTime => UtcTime::decode(validity)?.to_date_time(),
        _ => GeneralizedTime::decode(validity)?.to_date_time(),
    };
    format!("{:04}{:02}{:02}", time.year(), time.month(), time.day())
        .into_bytes()
        .try_into()
        .map_err(|_| ErrorKind::DateTime.into())
}

#[cfg(test)]
mod tests {
    use atecc::certificate::MICROCHIP;

    use super::*;

    #[test]
    fn fields_of_a_root_certificate() {
        let fields = Fields::parse(MICROCHIP.root_certificate).unwrap();
        assert_eq!(fields.subject, fields.issuer);
        assert_eq!(fields.serial_number[0], 0x02);
        assert_eq!(fields.public_key_info.len(), 91);
        assert!(fields.subject.ends_with(MICROCHIP.root_common_name.as_bytes()));
        assert!(fields.not_before.iter().chain(&fields.not_after).all(u8::is_ascii_digit));
        assert!(fields.not_before < fields.not_after);
    }

    #[test]
    fn a_cut_certificate_is_an_error_at_every_length() {
        let certificate = MICROCHIP.root_certificate;
        for length in 0..certificate.len() {
            assert!(Fields::parse(&certificate[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn bytes_after_the_certificate_are_an_error() {
        assert!(Fields::parse(&[MICROCHIP.root_certificate, &[0]].concat()).is_err());
    }
}
