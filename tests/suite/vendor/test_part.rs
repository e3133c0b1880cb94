//! A part with the configuration that the vendor's own tests use: it has a slot for every rule.

use std::path::Path;

use atecc::{Configuration, Slot};
use atecc_emulator::Eeprom;

use super::{
    library::{Answer, ask_at},
    openssl,
};
use crate::support::{Chip, unhex};

const ZONE: &str = include_str!("../../vectors/vendor_test_part.hex");
/// Its address, in eight bits.
const ADDRESS: u8 = 0xc0;
/// Of its serial number, the bytes that go into digests: 8, 0 and 1.
pub(super) const SHORT_SERIAL: [u8; 3] = [0xee, 0x01, 0x23];
/// Slot 4: its key is the parent, write key and read key of other slots, and the IO protection key.
pub(super) const PARENT: [u8; 32] = *b"the key in slot 4 of a test part";

/// The configuration zone.
pub(super) fn zone() -> [u8; 128] {
    let digits: String = ZONE.split_whitespace().collect();
    unhex(&digits).try_into().unwrap()
}

/// A part whose zones are locked, with [`PARENT`] in slot 4.
pub(super) fn test_part() -> Chip {
    Chip::holding(&test_part_eeprom())
}

/// Its memory.
pub(super) fn test_part_eeprom() -> Eeprom {
    let mut eeprom = Eeprom::new(&Configuration::from_bytes(zone()));
    eeprom.slot_mut(Slot::new(4).unwrap())[..32].copy_from_slice(&PARENT);
    eeprom
}

/// Asks such a part, in one process and in this order.
#[track_caller]
pub(super) fn ask_test_part<const N: usize>(socket: &Path, calls: [&str; N]) -> [Answer; N] {
    ask_at(socket, ADDRESS, &calls.map(str::to_owned)).try_into().unwrap()
}

/// The digest that GenDig, GenKey, DeriveKey and the MACs of Write make: 32 bytes, the command, the serial number,
/// zeros up to a length that is the same for all, and what comes behind.
pub(super) fn framed(first: &[u8], command: [u8; 4], last: &[u8]) -> [u8; 32] {
    openssl::sha256(&[first, &command, &SHORT_SERIAL, &[0; 25], last].concat())
}

/// What MAC answers: two times 32 bytes, the command, and the serial number among zeros.
pub(super) fn mac(first: &[u8], second: &[u8], command: [u8; 4]) -> [u8; 32] {
    let [sn_8, sn_0, sn_1] = SHORT_SERIAL;
    openssl::sha256(&[first, second, &command, &[0; 11], &[sn_8], &[0; 4], &[sn_0, sn_1], &[0; 2]].concat())
}
