//! The 72 bytes of a stored certificate (DS20006367A, table 2-1).

use super::{CertificateError, IssueDate, date::Format};
use crate::Signature;

/// Bytes of a compressed certificate, and of the slots that hold one.
pub const COMPRESSED_CERTIFICATE: usize = 72;

/// A compressed certificate, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compressed {
    /// Over the certificate's to-be-signed part.
    pub signature: Signature,
    /// Byte 70, low half: how the dates are packed. The certificate's serial number depends on it. The oldest that
    /// may be used is [`IssueDate::format`]; a chip may have a newer one.
    pub format: Format,
    /// Bytes 64 to 66, and 71 in format version 1: when it was issued, and for how long.
    pub dates: IssueDate,
    /// Bytes 67 and 68: the number in the signer's name.
    pub signer_id: u16,
    /// Byte 69, high half: the definition that it was made from.
    pub template_id: u8,
    /// Byte 69, low half.
    pub chain_id: u8,
}

/// Serial-number source 0xA: from the public key and the dates, as on every Trust&GO part (section 2.7.2).
const SERIAL_FROM_KEY_AND_DATES: u8 = 0x0a;

impl Compressed {
    /// The certificate in these bytes.
    ///
    /// # Errors
    /// When the bytes are no certificate of a Trust&GO part, or of a format version that is not supported.
    pub fn parse(bytes: &[u8; COMPRESSED_CERTIFICATE]) -> Result<Self, CertificateError> {
        let version = bytes[70] & 0x0f;
        if bytes[70] >> 4 != SERIAL_FROM_KEY_AND_DATES {
            return Err(CertificateError::NotCompressed);
        }
        let format = Format::new(version).ok_or(CertificateError::Format { version })?;
        let mut signature = [0; 64];
        signature.copy_from_slice(&bytes[..64]);
        Ok(Self {
            signature: Signature::from_bytes(signature),
            format,
            dates: IssueDate::unpack_as(format, [bytes[64], bytes[65], bytes[66]], bytes[71])
                .ok_or(CertificateError::NotCompressed)?,
            signer_id: u16::from_be_bytes([bytes[67], bytes[68]]),
            template_id: bytes[69] >> 4,
            chain_id: bytes[69] & 0x0f,
        })
    }

    /// The bytes of this certificate. Dates that do not fit its format are cut.
    pub fn to_bytes(&self) -> [u8; COMPRESSED_CERTIFICATE] {
        let mut bytes = [0; COMPRESSED_CERTIFICATE];
        bytes[..64].copy_from_slice(self.signature.as_bytes());
        bytes[64..67].copy_from_slice(&self.dates.pack());
        bytes[67..69].copy_from_slice(&self.signer_id.to_be_bytes());
        bytes[69] = self.template_id << 4 | self.chain_id & 0x0f;
        bytes[70] = SERIAL_FROM_KEY_AND_DATES << 4 | self.format.version();
        if self.format == Format::Extended {
            bytes[71] = self.dates.pack_extension();
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(end: [u8; 8]) -> [u8; 72] {
        let mut bytes = [0x5a; 72];
        bytes[64..].copy_from_slice(&end);
        bytes
    }

    /// The end of a real device certificate: signer 2C20, template 2, chain 0.
    #[test]
    fn the_fields_of_a_real_certificate() {
        let bytes = stored([0xa3, 0x26, 0xdc, 0x2c, 0x20, 0x20, 0xa0, 0x00]);
        let compressed = Compressed::parse(&bytes).unwrap();
        assert_eq!((compressed.signer_id, compressed.template_id, compressed.chain_id), (0x2c20, 2, 0));
        assert_eq!(compressed.to_bytes(), bytes);
    }

    /// 2032-12-31 23:00 for 40 years, the dates worked out in the tests of `IssueDate`.
    #[test]
    fn late_dates_make_it_format_1() {
        let bytes = stored([0x06, 0x7e, 0xe8, 0x2c, 0x20, 0x20, 0xa1, 0x50]);
        let compressed = Compressed::parse(&bytes).unwrap();
        assert_eq!((compressed.dates.year, compressed.dates.expire_years), (2032, 40));
        assert_eq!(compressed.to_bytes(), bytes);
    }

    #[test]
    fn early_dates_in_format_1_stay_in_it() {
        let bytes = stored([0xa3, 0x26, 0xdc, 0x2c, 0x20, 0x20, 0xa1, 0x00]);
        let compressed = Compressed::parse(&bytes).unwrap();
        assert_eq!((compressed.format, compressed.dates.format()), (Format::Extended, Format::Plain));
        assert_eq!(compressed.to_bytes(), bytes);
    }

    #[test]
    fn later_formats_are_refused_by_number() {
        for version in 2..16 {
            let bytes = stored([0xa3, 0x26, 0xdc, 0x2c, 0x20, 0x20, 0xa0 | version, 0x00]);
            assert_eq!(Compressed::parse(&bytes), Err(CertificateError::Format { version }));
        }
    }

    #[test]
    fn an_empty_slot_is_no_certificate() {
        assert_eq!(Compressed::parse(&[0x00; 72]), Err(CertificateError::NotCompressed));
        assert_eq!(Compressed::parse(&[0xff; 72]), Err(CertificateError::NotCompressed));
    }
}
