//! DeriveKey, which the data sheets of the pre-configured parts leave out.

use super::{TempKey, sha256, short_serial};
use crate::{
    Digest, Secret, SerialNumber, Slot,
    command::{Command, DeriveKey, NonceOrigin},
};

/// The key that `target` holds after DeriveKey from `parent`.
pub fn derived(
    parent: &Secret<32>,
    target: Slot,
    origin: NonceOrigin,
    temp_key: &TempKey,
    serial: &SerialNumber,
) -> Secret<32> {
    let command = [DeriveKey::OPCODE, origin.mode_bit(), target.number(), 0x00];
    let serial = short_serial(serial);
    Secret::from_bytes(sha256(&[parent.as_bytes(), &command, &serial, &[0; 25], temp_key.as_bytes()]))
}

/// Proof that the caller knows `parent`, for a target whose WriteConfig asks for it.
pub fn authorizing_mac(
    parent: &Secret<32>,
    target: Slot,
    origin: NonceOrigin,
    serial: &SerialNumber,
) -> Digest {
    let command = [DeriveKey::OPCODE, origin.mode_bit(), target.number(), 0x00];
    sha256(&[parent.as_bytes(), &command, &short_serial(serial)])
}
