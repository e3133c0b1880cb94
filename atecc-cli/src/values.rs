//! Values as they are typed.

use atecc::{Digest, Slot};

/// A slot of the chip.
pub(crate) fn slot(text: &str) -> Result<Slot, String> {
    text.parse().ok().and_then(Slot::new).ok_or_else(|| "the chip has slots 0 to 15".into())
}

/// A slot whose key may be replaced.
pub(crate) fn secondary_slot(text: &str) -> Result<Slot, String> {
    slot(text)
        .ok()
        .filter(|slot| (2..=4).contains(&slot.number()))
        .ok_or_else(|| "new keys go into slot 2, 3 or 4".into())
}

/// 64 hexadecimal digits.
pub(crate) fn digest(text: &str) -> Result<Digest, String> {
    let bytes = hex(text).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| "a SHA-256 digest has 64 hexadecimal digits".into())
}

/// The bytes behind hexadecimal digits.
pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_0_to_15() {
        assert_eq!(slot("15").map(Slot::number), Ok(15));
        for wrong in ["16", "-1", "", "two"] {
            assert!(slot(wrong).is_err());
        }
    }

    #[test]
    fn digits_come_in_pairs() {
        assert_eq!(hex("00fFa5"), Some(vec![0x00, 0xff, 0xa5]));
        assert_eq!(hex("0"), None);
        assert_eq!(hex("0g"), None);
        assert_eq!(hex("+1"), None);
    }
}
