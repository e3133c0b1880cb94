//! As much DER as certificates and requests need, into a fixed buffer.

use heapless::Vec;

use super::MAX_CERTIFICATE;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The tag \[`number`\], constructed: around whole values.
pub(crate) const fn explicit(number: u8) -> u8 {
    0xa0 | number
}

/// The tag \[`number`\], primitive: instead of the value's own.
pub(crate) const fn implicit(number: u8) -> u8 {
    0x80 | number
}

/// Writes values one after the other, at most `N` bytes.
#[derive(Default)]
pub(crate) struct Writer<const N: usize = MAX_CERTIFICATE> {
    bytes: Vec<u8, N>,
    is_full: bool,
}

impl<const N: usize> Writer<N> {
    /// What was written, unless it did not fit.
    pub(crate) fn finish(self) -> Option<Vec<u8, N>> {
        (!self.is_full).then_some(self.bytes)
    }

    /// `bytes` as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.is_full |= self.bytes.extend_from_slice(bytes).is_err();
    }

    /// A value with this tag whose content is `content`.
    pub(crate) fn value(&mut self, tag: u8, content: &[u8]) {
        self.nest(tag, |writer| writer.raw(content));
    }

    /// A value with this tag around what `content` writes.
    ///
    /// The length is known only afterwards, so it is put in front of the content then.
    pub(crate) fn nest(&mut self, tag: u8, content: impl FnOnce(&mut Self)) {
        const { assert!(N <= 0xffff, "a length takes two bytes at most") };
        self.raw(&[tag]);
        let start = self.bytes.len();
        content(self);
        let length = self.bytes.len() - start;
        let [high, low] = (length as u16).to_be_bytes();
        let prefix: &[u8] = match length {
            0..=0x7f => &[low],
            0x80..=0xff => &[0x81, low],
            _ => &[0x82, high, low],
        };
        for (position, byte) in prefix.iter().enumerate() {
            self.is_full |= self.bytes.insert(start + position, *byte).is_err();
        }
    }

    /// A non-negative INTEGER, from big-endian bytes, in its shortest form.
    pub(crate) fn unsigned(&mut self, big_endian: &[u8]) {
        let zeros = big_endian.iter().take_while(|&&byte| byte == 0).count();
        let digits = big_endian.get(zeros..).unwrap_or_default();
        self.nest(INTEGER, |writer| {
            if digits.first().is_none_or(|&byte| byte & 0x80 != 0) {
                writer.raw(&[0x00]);
            }
            writer.raw(digits);
        });
    }
}

/// Takes values apart, one after the other. What is not there is `None`, whatever the bytes.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// At the start of `bytes`.
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The content of the next value, if it has this tag; else the reader stays where it is.
    pub(super) fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (header, length) = self.header(tag)?;
        let (value, rest) = self.rest.split_at_checked(header + length)?;
        self.rest = rest;
        value.get(header..)
    }

    /// The values inside of the next one, if it has this tag.
    pub(super) fn nest(&mut self, tag: u8) -> Option<Self> {
        self.value(tag).map(Self::new)
    }

    /// The next value with its header, if it has this tag.
    pub(super) fn whole(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (header, length) = self.header(tag)?;
        let (value, rest) = self.rest.split_at_checked(header + length)?;
        self.rest = rest;
        Some(value)
    }

    /// Bytes of the next value's header and of its content. Lengths beyond 65535 are none that occur here.
    fn header(&self, tag: u8) -> Option<(usize, usize)> {
        match *self.rest {
            [first, length @ 0..=0x7f, ..] if first == tag => Some((2, usize::from(length))),
            [first, 0x81, length @ 0x80..=0xff, ..] if first == tag => Some((3, usize::from(length))),
            [first, 0x82, high @ 1..=0xff, low, ..] if first == tag => {
                Some((4, usize::from(u16::from_be_bytes([high, low]))))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Writer)) -> Option<Vec<u8, MAX_CERTIFICATE>> {
        let mut writer = Writer::default();
        write(&mut writer);
        writer.finish()
    }

    #[test]
    fn lengths_take_one_two_or_three_bytes() {
        for (length, prefix) in [(0x7f, &[0x7f][..]), (0x80, &[0x81, 0x80]), (0x0123, &[0x82, 0x01, 0x23])] {
            let content = &[0xaa; 0x0123][..length];
            let der = written(|writer| writer.value(OCTET_STRING, content)).unwrap();
            assert_eq!(der[1..=prefix.len()], *prefix);
            assert_eq!(der.len(), 1 + prefix.len() + length);
            let mut reader = Reader::new(&der);
            assert_eq!(reader.value(SEQUENCE), None);
            assert_eq!(reader.value(OCTET_STRING), Some(content));
            assert!(reader.rest.is_empty());
        }
    }

    #[test]
    fn integers_are_minimal_and_positive() {
        assert_eq!(written(|writer| writer.unsigned(&[0, 0, 0x7f])).unwrap()[..], [0x02, 1, 0x7f]);
        assert_eq!(written(|writer| writer.unsigned(&[0, 0x80])).unwrap()[..], [0x02, 2, 0, 0x80]);
        assert_eq!(written(|writer| writer.unsigned(&[0, 0])).unwrap()[..], [0x02, 1, 0]);
    }

    #[test]
    fn what_does_not_fit_is_not_handed_out() {
        assert_eq!(written(|writer| writer.value(OCTET_STRING, &[0; 639])), None);
    }

    #[test]
    fn a_value_that_is_cut_short_is_none() {
        for cut in [&[][..], &[0x30], &[0x30, 1], &[0x30, 0x81], &[0x30, 0x82, 1], &[0x30, 0x82, 1, 0, 7]] {
            assert_eq!(Reader::new(cut).value(SEQUENCE), None, "{cut:02x?}");
        }
    }

    #[test]
    fn a_length_that_is_not_the_shortest_is_none() {
        assert_eq!(Reader::new(&[0x04, 0x81, 1, 7]).value(OCTET_STRING), None);
        assert_eq!(Reader::new(&[0x04, 0x82, 0, 1, 7]).value(OCTET_STRING), None);
    }
}
