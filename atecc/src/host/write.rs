//! Encryption and input MAC of Write (TFLXTLS, DS40002138A, section 5.1.10.2) and PrivWrite.

use super::{TempKey, sha256, short_serial, xor};
use crate::{
    Secret, SerialNumber, Slot,
    command::{Command, PrivWriteEncrypted, WriteEncrypted},
};

/// `plain` encrypted, and the MAC that goes with it, for a write to `block` of `slot` under `session`, which
/// GenDig with the write key has made.
pub fn block(
    session: &TempKey,
    slot: Slot,
    block: u8,
    plain: &Secret<32>,
    serial: &SerialNumber,
) -> ([u8; 32], [u8; 32]) {
    let [low, high] = WriteEncrypted::address(slot, block).to_le_bytes();
    let command = [WriteEncrypted::OPCODE, WriteEncrypted::MODE, low, high];
    let mac = sha256(&[session.as_bytes(), &command, &short_serial(serial), &[0; 25], plain.as_bytes()]);
    (xor(plain.as_bytes(), session.as_bytes()), mac)
}

/// The private key `plain` encrypted with its four bytes of padding, and the MAC that goes with it, for
/// PrivWrite to `slot` under `session`.
///
/// The data sheets of the pre-configured parts leave this formula out. The first 32 bytes are encrypted with
/// TempKey, the last four with the SHA-256 of TempKey.
pub fn private_key(
    session: &TempKey,
    slot: Slot,
    plain: &Secret<32>,
    serial: &SerialNumber,
) -> ([u8; 36], [u8; 32]) {
    let command = [PrivWriteEncrypted::OPCODE, PrivWriteEncrypted::MODE, slot.number(), 0x00];
    let pad = [0; 4];
    let mac =
        sha256(&[session.as_bytes(), &command, &short_serial(serial), &[0; 21], &pad, plain.as_bytes()]);
    let tail = sha256(&[session.as_bytes()]);
    let mut value = [0; 36];
    let stream = session.as_bytes().iter().chain(&tail);
    let padded = pad.iter().chain(plain.as_bytes());
    for ((value, plain), stream) in value.iter_mut().zip(padded).zip(stream) {
        *value = plain ^ stream;
    }
    (value, mac)
}

/// What an encrypted read gave, in clear text (TFLXTLS, DS40002138A, section 5.1.6.2).
pub fn decrypt(session: &TempKey, encrypted: &[u8; 32]) -> Secret<32> {
    Secret::from_bytes(xor(encrypted, session.as_bytes()))
}
