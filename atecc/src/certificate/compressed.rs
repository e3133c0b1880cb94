//! The 72 bytes of a stored certificate (DS20006367A).

use super::CertificateError;
use crate::Signature;

/// Bytes of a compressed certificate, and of the slots that hold one.
pub const COMPRESSED_CERTIFICATE: usize = 72;

/// A compressed certificate, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compressed {
    /// Over the certificate's to-be-signed part.
    pub signature: Signature,
    /// Bytes 64 to 66: when it was issued, and for how long.
    pub dates: IssueDate,
    /// Bytes 67 and 68: the number in the signer's name.
    pub signer_id: u16,
    /// Byte 69, high half: the definition that it was made from.
    pub template_id: u8,
    /// Byte 69, low half.
    pub chain_id: u8,
}

/// Serial-number source 0xA: from the public key and the dates, as on every Trust&GO part.
const SERIAL_FROM_KEY_AND_DATES: u8 = 0x0a;

impl Compressed {
    /// The certificate in these bytes.
    ///
    /// # Errors
    /// When the bytes are no certificate of a Trust&GO part, or of a format version that is not known.
    pub fn parse(bytes: &[u8; COMPRESSED_CERTIFICATE]) -> Result<Self, CertificateError> {
        let version = bytes[70] & 0x0f;
        if bytes[70] >> 4 != SERIAL_FROM_KEY_AND_DATES {
            return Err(CertificateError::NotCompressed);
        }
        if version != 0 {
            return Err(CertificateError::Format { version });
        }
        let mut signature = [0; 64];
        signature.copy_from_slice(&bytes[..64]);
        Ok(Self {
            signature: Signature::from_bytes(signature),
            dates: IssueDate::unpack([bytes[64], bytes[65], bytes[66]])
                .ok_or(CertificateError::NotCompressed)?,
            signer_id: u16::from_be_bytes([bytes[67], bytes[68]]),
            template_id: bytes[69] >> 4,
            chain_id: bytes[69] & 0x0f,
        })
    }

    /// The bytes of this certificate, format version 0.
    pub fn to_bytes(&self) -> [u8; COMPRESSED_CERTIFICATE] {
        let mut bytes = [0; COMPRESSED_CERTIFICATE];
        bytes[..64].copy_from_slice(self.signature.as_bytes());
        bytes[64..67].copy_from_slice(&self.dates.pack());
        bytes[67..69].copy_from_slice(&self.signer_id.to_be_bytes());
        bytes[69] = self.template_id << 4 | self.chain_id & 0x0f;
        bytes[70] = SERIAL_FROM_KEY_AND_DATES << 4;
        bytes
    }
}

/// The packed dates: 5 bits of year, 4 of month, 5 of day, 5 of hour, 5 of years to live, big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssueDate {
    /// 2000 to 2031.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23; minutes and seconds are zero.
    pub hour: u8,
    /// Years until it expires; 0 is never.
    pub expire_years: u8,
}

impl IssueDate {
    /// The dates in these three bytes, unless they are no date.
    pub fn unpack(bytes: [u8; 3]) -> Option<Self> {
        let bits = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        let field = |shift: u32, width: u32| (bits >> shift & ((1 << width) - 1)) as u8;
        let dates = Self {
            year: 2000 + u16::from(field(19, 5)),
            month: field(15, 4),
            day: field(10, 5),
            hour: field(5, 5),
            expire_years: field(0, 5),
        };
        let is_date = (1..=12).contains(&dates.month) && dates.day >= 1 && dates.hour <= 23;
        is_date.then_some(dates)
    }

    /// The three bytes of these dates. Fields beyond their bits are cut.
    pub fn pack(self) -> [u8; 3] {
        let bits = (u32::from(self.year.saturating_sub(2000)) & 0x1f) << 19
            | (u32::from(self.month) & 0x0f) << 15
            | (u32::from(self.day) & 0x1f) << 10
            | (u32::from(self.hour) & 0x1f) << 5
            | u32::from(self.expire_years) & 0x1f;
        let [_, high, middle, low] = bits.to_be_bytes();
        [high, middle, low]
    }

    /// The year in which it expires, if it does.
    pub fn expire_year(self) -> Option<u16> {
        (self.expire_years != 0).then(|| self.year + u16::from(self.expire_years))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes 64 to 66 of a real device certificate: issued 2020-06-09 22:00, for 28 years.
    #[test]
    fn the_dates_of_a_real_certificate() {
        let dates = IssueDate::unpack([0xa3, 0x26, 0xdc]).unwrap();
        assert_eq!(dates, IssueDate { year: 2020, month: 6, day: 9, hour: 22, expire_years: 28 });
        assert_eq!(dates.pack(), [0xa3, 0x26, 0xdc]);
        assert_eq!(dates.expire_year(), Some(2048));
    }

    #[test]
    fn an_empty_slot_is_no_certificate() {
        assert_eq!(Compressed::parse(&[0x00; 72]), Err(CertificateError::NotCompressed));
        assert_eq!(Compressed::parse(&[0xff; 72]), Err(CertificateError::NotCompressed));
    }
}
