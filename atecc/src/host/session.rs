//! GenDig with a slot (section 5.3.3.3, table 5-74): the key of an encrypted read or write.

use super::{TempKey, sha256, short_serial};
use crate::{
    Secret, SerialNumber, Slot,
    command::{Command, GenDig},
};

/// TempKey after GenDig with `slot`, whose first 32 bytes are `key`, when it was `before`.
///
/// The same for slots with and without NoMac, given that the four bytes of OtherData are those of the command,
/// as [`GenDigSource::Data`](crate::command::GenDigSource::Data) sends them.
pub fn key(before: &TempKey, slot: Slot, key: &Secret<32>, serial: &SerialNumber) -> TempKey {
    let command = [GenDig::OPCODE, 0x02, slot.number(), 0x00];
    TempKey::new(sha256(&[key.as_bytes(), &command, &short_serial(serial), &[0; 25], before.as_bytes()]))
}
