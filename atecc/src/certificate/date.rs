//! The dates of a compressed certificate (DS20006367A, section 2.3).

/// Version of the compressed format, byte 70 (section 2.8), as far as it is about P-256.
///
/// DS20006367A knows version 0 only. Version 1 came with release 3.7 of the vendor's library, and its rules are
/// known from there: two more bits each for year and years to live stand in byte 71, and the certificate's
/// serial number is hashed over that byte too. So the same dates give another certificate in another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Version 0: three bytes of dates.
    Plain,
    /// Version 1: four bytes of dates.
    Extended,
}

impl Format {
    /// The format with this number. Version 2 is for longer curves, whose signatures do not fit into a slot;
    /// neither the chip nor this driver has them.
    pub const fn new(version: u8) -> Option<Self> {
        match version {
            0 => Some(Self::Plain),
            1 => Some(Self::Extended),
            _ => None,
        }
    }

    /// The number in byte 70.
    pub const fn version(self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Extended => 1,
        }
    }
}

/// The packed dates: 5 bits of year, 4 of month, 5 of day, 5 of hour, 5 of years to live, big-endian
/// (tables 2-3 and 2-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssueDate {
    /// 2000 to 2031; to 2127 in format version 1.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23; minutes and seconds are zero.
    pub hour: u8,
    /// Years until it expires, up to 31; up to 127 in format version 1. 0 is never.
    pub expire_years: u8,
}

impl IssueDate {
    /// The dates in these three bytes, unless they are no date of the calendar.
    pub fn unpack(bytes: [u8; 3]) -> Option<Self> {
        Self::unpack_as(Format::Plain, bytes, 0)
    }

    /// The dates in bytes 64 to 66, and in byte 71 if the format has them there.
    pub(super) fn unpack_as(format: Format, bytes: [u8; 3], byte_71: u8) -> Option<Self> {
        let bits = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        let field = |shift: u32, width: u32| (bits >> shift & ((1 << width) - 1)) as u8;
        let (year, expire_years) = match format {
            Format::Plain => (0, 0),
            Format::Extended => (byte_71 >> 6 & 0x03, byte_71 >> 4 & 0x03),
        };
        let dates = Self {
            year: 2000 + u16::from(year << 5 | field(19, 5)),
            month: field(15, 4),
            day: field(10, 5),
            hour: field(5, 5),
            expire_years: expire_years << 5 | field(0, 5),
        };
        let is_date = (1..=days(dates.year, dates.month)).contains(&dates.day) && dates.hour <= 23;
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

    /// Byte 71 of these dates in format version 1: the bits that [`pack`](Self::pack) cuts.
    pub(super) fn pack_extension(self) -> u8 {
        let year = (self.year.saturating_sub(2000) >> 5 & 0x03) as u8;
        year << 6 | (self.expire_years >> 5 & 0x03) << 4
    }

    /// The oldest format that these dates fit.
    pub const fn format(self) -> Format {
        if self.year <= 2031 && self.expire_years <= 31 { Format::Plain } else { Format::Extended }
    }

    /// The year in which it expires, if it does.
    ///
    /// Month, day and hour of the expiry are those of the issue. The definition says no more, and the vendor's
    /// library leaves 29 February as it is in a year that has none; a certificate that was signed so is rebuilt
    /// so. Whoever issues certificates asks [`is_issuable`](Self::is_issuable) first.
    pub fn expire_year(self) -> Option<u16> {
        (self.expire_years != 0).then(|| self.year.saturating_add(u16::from(self.expire_years)))
    }

    /// Whether issue and expiry are days of the calendar and fit a compressed certificate and the templates,
    /// which write the issue as UTCTime and so end with 2049 (RFC 5280, section 4.1.2.5.1).
    ///
    /// The one day to mind is 29 February: no TLS library takes a certificate that ends on a day that never was.
    pub fn is_issuable(self) -> bool {
        let exists = |year| (1..=days(year, self.month)).contains(&self.day);
        (2000..=LAST_UTC_TIME).contains(&self.year)
            && self.hour <= 23
            && self.expire_years <= 127
            && exists(self.year)
            && self.expire_year().is_none_or(exists)
    }

    /// The issue, as the content of a UTCTime; `None` for a year that it cannot carry.
    pub(super) fn utc_time(self) -> Option<[u8; 13]> {
        let [_, _, rest @ ..] = self.generalized(self.year);
        (2000..=LAST_UTC_TIME).contains(&self.year).then_some(rest)
    }

    /// The expiry, as the content of a GeneralizedTime; the last second of 9999 if there is none (table 2-5).
    pub(super) fn generalized_time(self) -> [u8; 15] {
        self.expire_year().map_or(*b"99991231235959Z", |year| self.generalized(year))
    }

    fn generalized(self, year: u16) -> [u8; 15] {
        let mut text = *b"YYYYMMDDHH0000Z";
        let fields = [(year / 100 % 100) as u8, (year % 100) as u8, self.month, self.day, self.hour];
        for (pair, field) in text.chunks_exact_mut(2).zip(fields) {
            pair.copy_from_slice(&[b'0' + field / 10 % 10, b'0' + field % 10]);
        }
        text
    }

    /// The dates that these contents of UTCTime and GeneralizedTime come from.
    pub(super) fn parse(utc_time: &[u8], generalized_time: &[u8]) -> Option<Self> {
        let [year, month, day, hour, ..] = decimal_pairs(utc_time)?;
        let [century, expire, ..] = decimal_pairs(generalized_time)?;
        let mut dates = Self { year: 2000 + u16::from(year), month, day, hour, expire_years: 0 };
        if generalized_time != b"99991231235959Z" {
            let expire_year = u16::from(century) * 100 + u16::from(expire);
            dates.expire_years = u8::try_from(expire_year.checked_sub(dates.year)?).ok()?;
        }
        // What the compressed form cannot carry shows in what comes out: minutes, seconds, another day.
        let is_same = dates.utc_time()? == *utc_time && dates.generalized_time() == *generalized_time;
        (is_same && dates.expire_years <= 127).then_some(dates)
    }
}

/// UTCTime has two digits of the year, and 50 is 1950.
const LAST_UTC_TIME: u16 = 2049;

/// Days of this month; none if there is no such month.
const fn days(year: u16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

/// The first four pairs of digits.
fn decimal_pairs(text: &[u8]) -> Option<[u8; 4]> {
    let mut pairs = [0; 4];
    for (pair, digits) in pairs.iter_mut().zip(text.get(..8)?.chunks_exact(2)) {
        let &[tens @ b'0'..=b'9', ones @ b'0'..=b'9'] = digits else { return None };
        *pair = (tens - b'0') * 10 + (ones - b'0');
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(year: u16, month: u8, day: u8, hour: u8, expire_years: u8) -> IssueDate {
        IssueDate { year, month, day, hour, expire_years }
    }

    /// Bytes 64 to 66 of a real device certificate: issued 2020-06-09 22:00, for 28 years.
    #[test]
    fn the_dates_of_a_real_certificate() {
        let unpacked = IssueDate::unpack([0xa3, 0x26, 0xdc]).unwrap();
        assert_eq!(unpacked, dates(2020, 6, 9, 22, 28));
        assert_eq!(unpacked.pack(), [0xa3, 0x26, 0xdc]);
        assert_eq!(unpacked.expire_year(), Some(2048));
    }

    /// Example 1 of section 2.3: 2014-10-15 16:00, for 14 years.
    #[test]
    fn the_example_of_the_definition() {
        let unpacked = IssueDate::unpack([0x75, 0x3e, 0x0e]).unwrap();
        assert_eq!(unpacked, dates(2014, 10, 15, 16, 14));
        assert_eq!(unpacked.utc_time().unwrap(), *b"141015160000Z");
        assert_eq!(unpacked.generalized_time(), *b"20281015160000Z");
    }

    /// Table 2-3 with every field at its end: 11111 1100 11111 10111 11111.
    #[test]
    fn the_last_dates_of_format_0() {
        let last = dates(2031, 12, 31, 23, 31);
        assert_eq!(last.pack(), [0xfe, 0x7e, 0xff]);
        assert_eq!(IssueDate::unpack([0xfe, 0x7e, 0xff]), Some(last));
        assert_eq!(last.format(), Format::Plain);
        assert_eq!(last.pack_extension(), 0);
    }

    /// 2032 is 0b01_00000 years after 2000, and 40 is 0b01_01000; the upper bits stand in byte 71.
    #[test]
    fn format_1_has_two_more_bits_of_year_and_life() {
        let extended = dates(2032, 12, 31, 23, 40);
        assert_eq!(extended.format(), Format::Extended);
        assert_eq!((extended.pack(), extended.pack_extension()), ([0x06, 0x7e, 0xe8], 0x50));
        assert_eq!(IssueDate::unpack_as(Format::Extended, [0x06, 0x7e, 0xe8], 0x50), Some(extended));
        let last = dates(2127, 12, 31, 23, 127);
        assert_eq!((last.pack(), last.pack_extension()), ([0xfe, 0x7e, 0xff], 0xf0));
        assert_eq!(IssueDate::unpack_as(Format::Extended, [0xfe, 0x7e, 0xff], 0xff), Some(last));
        assert_eq!(last.expire_year(), Some(2254));
    }

    #[test]
    fn format_0_leaves_byte_71_alone() {
        let plain = IssueDate::unpack_as(Format::Plain, [0xfe, 0x7e, 0xff], 0xf0);
        assert_eq!(plain, Some(dates(2031, 12, 31, 23, 31)));
    }

    #[test]
    fn a_certificate_without_end_ends_with_9999() {
        let endless = dates(2020, 6, 9, 22, 0);
        assert_eq!(endless.expire_year(), None);
        assert_eq!(endless.generalized_time(), *b"99991231235959Z");
        assert_eq!(IssueDate::parse(b"200609220000Z", b"99991231235959Z"), Some(endless));
    }

    #[test]
    fn the_29th_of_february_stays_where_it_is() {
        let leap = dates(2024, 2, 29, 12, 31);
        assert_eq!(leap.generalized_time(), *b"20550229120000Z");
        assert!(!leap.is_issuable());
        assert!(dates(2024, 2, 29, 12, 28).is_issuable());
        assert!(!dates(2048, 2, 29, 12, 52).is_issuable(), "2100 is no leap year");
        assert!(dates(2024, 2, 29, 12, 0).is_issuable());
    }

    #[test]
    fn days_that_never_were_are_no_dates() {
        for (year, month, day, hour) in [
            (2023, 2, 29, 0),
            (2024, 2, 30, 0),
            (2024, 4, 31, 0),
            (2024, 13, 1, 0),
            (2024, 0, 1, 0),
            (2024, 1, 0, 0),
            (2024, 1, 1, 24),
        ] {
            let impossible = dates(year, month, day, hour, 1);
            assert_eq!(IssueDate::unpack(impossible.pack()), None, "{impossible:?}");
            assert!(!impossible.is_issuable());
        }
    }

    #[test]
    fn utc_time_ends_with_2049() {
        assert_eq!(dates(2049, 12, 31, 23, 1).utc_time().unwrap(), *b"491231230000Z");
        assert_eq!(dates(2050, 1, 1, 0, 1).utc_time(), None);
    }

    #[test]
    fn times_that_the_compressed_form_cannot_carry_are_refused() {
        assert_eq!(IssueDate::parse(b"200609220000Z", b"20480609220000Z"), Some(dates(2020, 6, 9, 22, 28)));
        for (from, to) in [
            (&b"200609220001Z"[..], &b"20480609220001Z"[..]),
            (b"200609220000Z", b"20480610220000Z"),
            (b"200609220000Z", b"20190609220000Z"),
            (b"200609220000Z", b"21480609220000Z"),
            (b"2006092200Z", b"2048060922Z"),
            (b"2006x9220000Z", b"20480609220000Z"),
            (b"", b""),
        ] {
            assert_eq!(IssueDate::parse(from, to), None);
        }
    }

    /// All three bytes: what unpacks packs to the same bits.
    #[test]
    fn unpacking_loses_nothing() {
        for bits in 0..=0x00ff_ffff_u32 {
            let [_, high, middle, low] = bits.to_be_bytes();
            if let Some(unpacked) = IssueDate::unpack([high, middle, low]) {
                assert_eq!(unpacked.pack(), [high, middle, low]);
            }
        }
    }
}
