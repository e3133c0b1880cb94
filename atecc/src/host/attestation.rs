//! The internal message that Sign signs (section 5.2.3.1): what stands in a slot, and under which rules.

use super::{TempKey, long_serial, sha256, short_serial};
use crate::{
    Configuration, Digest, PublicKey, SerialNumber, Slot,
    command::{Command, GenKeyPublicDigest, NonceOrigin, SignInternal},
};

/// TempKey after GenKey with digest over the key in `slot`, when it was `before` (section 5.2.2.3).
pub fn key_digest(before: &TempKey, slot: Slot, key: &PublicKey, serial: &SerialNumber) -> TempKey {
    let command = [GenKeyPublicDigest::OPCODE, 0x08, slot.number(), 0x00];
    let serial = short_serial(serial);
    TempKey::new(sha256(&[before.as_bytes(), &command, &serial, &[0; 25], key.as_bytes()]))
}

/// The digest that `sign` signs, when GenKey has made `temp_key` of the key in `slot`, from a nonce of
/// `origin`.
pub fn message_digest(
    sign: &SignInternal,
    temp_key: &TempKey,
    slot: Slot,
    origin: NonceOrigin,
    configuration: &Configuration,
) -> Digest {
    let serial = configuration.serial_number();
    let other = other_data(sign, slot, origin, configuration);
    let [sn_8, sn_0, sn_1] = short_serial(&serial);
    let (head, rest) = other.split_at(10);
    let (sn_4_7, tail) = rest.split_at(4);
    sha256(&[temp_key.as_bytes(), &[SignInternal::OPCODE], head, &[sn_8], sn_4_7, &[sn_0, sn_1], tail])
}

/// OtherData of the message for Verify in validate and invalidate mode (TFLXTLS, DS40002138A, table 5-71).
pub fn other_data(
    sign: &SignInternal,
    slot: Slot,
    origin: NonceOrigin,
    configuration: &Configuration,
) -> [u8; 19] {
    let [slot_low, slot_high] = configuration.slot_config(slot).to_le_bytes();
    let [key_low, key_high] = configuration.key_config(slot).to_le_bytes();
    // TempKey.GenKeyData, SourceFlag and KeyID (table 3-1).
    let source = if origin == NonceOrigin::Fixed { 0x10 } else { 0x00 };
    let flags = 0x40 | source | slot.number();
    let ([sn_4, sn_5, sn_6, sn_7], [sn_2, sn_3]) =
        if sign.include_serial { long_serial(&configuration.serial_number()) } else { Default::default() };
    let unlocked = u8::from(!configuration.is_slot_locked(slot));
    let mut data = [0; 19];
    let fields = [
        sign.mode(),
        sign.key.number(),
        0,
        slot_low,
        slot_high,
        key_low,
        key_high,
        flags,
        0,
        0,
        sn_4,
        sn_5,
        sn_6,
        sn_7,
        sn_2,
        sn_3,
        unlocked,
        u8::from(sign.for_invalidation),
        0,
    ];
    data.copy_from_slice(&fields);
    data
}
