//! The information structures (sections 3.1 and 3.2): fixed fields, padded with blanks, not NUL-terminated.

use cryptoki_sys::*;

use crate::{slot::Slot, token::Token};

/// What C_GetInfo tells about the library. The version is that of the function list it stands in.
pub(crate) fn library(version: CK_VERSION) -> CK_INFO {
    CK_INFO {
        cryptokiVersion: version,
        manufacturerID: padded(LIBRARY),
        flags: 0,
        libraryDescription: padded("PKCS#11 module for the ATECC608"),
        libraryVersion: LIBRARY_VERSION,
    }
}

/// What C_GetSlotInfo tells about the slot of a device, with its token if one is there.
///
/// A chip on a fixed bus that does not answer is told as an absent token, although the standard asks that one be
/// always present where a slot is not CKF_REMOVABLE_DEVICE: clients then pass over the slot instead of failing.
pub(crate) fn slot(slot: &Slot, token: Option<&Token>) -> CK_SLOT_INFO {
    let present = if token.is_some() { CKF_TOKEN_PRESENT } else { 0 };
    let hardware = if token.is_some_and(|token| !token.device().is_emulated()) { CKF_HW_SLOT } else { 0 };
    let removable = if slot.is_removable() { CKF_REMOVABLE_DEVICE } else { 0 };
    CK_SLOT_INFO {
        slotDescription: padded(&slot.description()),
        manufacturerID: padded(LIBRARY),
        flags: present | hardware | removable,
        hardwareVersion: NO_VERSION,
        firmwareVersion: NO_VERSION,
    }
}

/// What C_GetTokenInfo tells about a token with this many sessions, and read-write sessions among them.
pub(crate) fn token(token: &Token, sessions: usize, read_write_sessions: usize) -> CK_TOKEN_INFO {
    let device = token.device();
    let write_protected = if token.store().is_writable() { 0 } else { CKF_WRITE_PROTECTED };
    let [.., generation, revision] = device.revision().0;
    let mut serial_number = [0; 16];
    // Sixteen of its eighteen digits fit; the vendor's module leaves out the first two, which are 01 in all.
    serial_number.copy_from_slice(&device.serial_number().to_hex()[2..]);
    CK_TOKEN_INFO {
        label: padded(device.label()),
        manufacturerID: padded(if device.is_emulated() {
            "ATECC EMULATOR"
        } else {
            "Microchip Technology Inc"
        }),
        model: padded(device.model()),
        serialNumber: serial_number,
        flags: CKF_RNG | CKF_TOKEN_INITIALIZED | write_protected | token.pin_flags(),
        ulMaxSessionCount: CK_EFFECTIVELY_INFINITE,
        ulSessionCount: ulong(sessions),
        ulMaxRwSessionCount: CK_EFFECTIVELY_INFINITE,
        ulRwSessionCount: ulong(read_write_sessions),
        // Where no PIN is asked for, any is taken.
        ulMaxPinLen: 255,
        ulMinPinLen: if token.requires_login() { 1 } else { 0 },
        ulTotalPublicMemory: CK_UNAVAILABLE_INFORMATION,
        ulFreePublicMemory: CK_UNAVAILABLE_INFORMATION,
        ulTotalPrivateMemory: CK_UNAVAILABLE_INFORMATION,
        ulFreePrivateMemory: CK_UNAVAILABLE_INFORMATION,
        // 60 02 is the revision of an ATECC608A: 6.2.
        hardwareVersion: CK_VERSION { major: generation >> 4, minor: revision },
        firmwareVersion: NO_VERSION,
        utcTime: [b' '; 16],
    }
}

/// A number of things as a CK_ULONG, which is as wide as a pointer wherever this module runs.
pub(crate) fn ulong(count: usize) -> CK_ULONG {
    count as CK_ULONG
}

/// The version of the list that C_GetFunctionList gives, which some clients refuse in any other version.
pub(crate) const VERSION_2_40: CK_VERSION = CK_VERSION { major: 2, minor: 40 };
/// The version of the list that C_GetInterface gives to who asks for no other.
pub(crate) const VERSION_3_0: CK_VERSION = CK_VERSION { major: 3, minor: 0 };

const LIBRARY: &str = env!("CARGO_PKG_NAME");
const LIBRARY_VERSION: CK_VERSION = CK_VERSION {
    major: number(env!("CARGO_PKG_VERSION_MAJOR")),
    minor: number(env!("CARGO_PKG_VERSION_MINOR")),
};
const NO_VERSION: CK_VERSION = CK_VERSION { major: 0, minor: 0 };

/// The number that these digits write; one that a byte does not hold does not compile.
const fn number(digits: &str) -> u8 {
    let mut rest = digits.as_bytes();
    let mut number = 0;
    while let [digit, behind @ ..] = rest {
        number = number * 10 + (*digit - b'0');
        rest = behind;
    }
    number
}

/// `text` with blanks behind it, cut between two characters where the field ends.
fn padded<const N: usize>(text: &str) -> [CK_UTF8CHAR; N] {
    let mut field = [b' '; N];
    let text = &text[..text.floor_char_boundary(N)];
    field[..text.len()].copy_from_slice(text.as_bytes());
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_padded_with_blanks() {
        assert_eq!(padded::<8>("label"), *b"label   ");
        assert_eq!(padded::<5>("label"), *b"label");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(padded::<3>("label"), *b"lab");
        assert_eq!(padded::<4>("für immer"), *"für".as_bytes());
        assert_eq!(padded::<2>("für immer"), *b"f ");
    }
}
