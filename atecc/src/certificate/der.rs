//! As much DER as the templates need, into a fixed buffer.

use super::Der;

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// The tag \[`number`\], constructed: around whole values.
pub(super) const fn explicit(number: u8) -> u8 {
    0xa0 | number
}

/// The tag \[`number`\], primitive: instead of the value's own.
pub(super) const fn implicit(number: u8) -> u8 {
    0x80 | number
}

/// Writes values one after the other.
#[derive(Default)]
pub(super) struct Writer {
    bytes: Der,
    is_full: bool,
}

impl Writer {
    /// What was written, unless it did not fit.
    pub(super) fn finish(self) -> Option<Der> {
        (!self.is_full).then_some(self.bytes)
    }

    /// `bytes` as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.is_full |= self.bytes.extend_from_slice(bytes).is_err();
    }

    /// A value with this tag whose content is `content`.
    pub(super) fn value(&mut self, tag: u8, content: &[u8]) {
        self.nest(tag, |writer| writer.raw(content));
    }

    /// A value with this tag around what `content` writes.
    ///
    /// The length is known only afterwards, so it is put in front of the content then.
    pub(super) fn nest(&mut self, tag: u8, content: impl FnOnce(&mut Self)) {
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
    pub(super) fn unsigned(&mut self, big_endian: &[u8]) {
        let zeros = big_endian.iter().take_while(|&&byte| byte == 0).count();
        let digits = &big_endian[zeros..];
        self.nest(INTEGER, |writer| {
            if digits.first().is_none_or(|&byte| byte & 0x80 != 0) {
                writer.raw(&[0x00]);
            }
            writer.raw(digits);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Writer)) -> Option<Der> {
        let mut writer = Writer::default();
        write(&mut writer);
        writer.finish()
    }

    #[test]
    fn lengths_take_one_two_or_three_bytes() {
        for (length, prefix) in [(0x7f, &[0x7f][..]), (0x80, &[0x81, 0x80]), (0x0123, &[0x82, 0x01, 0x23])] {
            let der = written(|writer| writer.value(OCTET_STRING, &[0xaa; 0x0123][..length])).unwrap();
            assert_eq!(der[1..=prefix.len()], *prefix);
            assert_eq!(der.len(), 1 + prefix.len() + length);
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
}
