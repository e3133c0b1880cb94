//! GenKey (section 5.2.2).

use atecc::{Slot, Status, packet::Packet};
use p256::ecdsa::SigningKey;

use super::{Data, answer, slot_rules::SlotRules};
use crate::Eeprom;

/// Where the 32 bytes of a private key lie in its slot of 36 (section 4.5.1).
const PAD: usize = 4;

pub(super) fn execute(packet: &Packet, eeprom: &Eeprom) -> Result<Data, Status> {
    // Other modes make a new key or a digest in TempKey.
    if packet.param1() != 0x00 || !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    let slot = u8::try_from(packet.param2()).ok().and_then(Slot::new).ok_or(Status::ParseError)?;
    let rules = SlotRules::of(&eeprom.configuration(), slot);
    if !rules.is_private_key() || !rules.gives_public_key() {
        return Err(Status::ExecutionError);
    }
    let point = private_key(eeprom, slot)?.verifying_key().to_sec1_point(false);
    point.as_bytes().get(1..).ok_or(Status::EccFault).and_then(answer)
}

/// The private key in `slot`.
///
/// # Errors
/// When the slot holds no key: zero, or a number that is not below the order of the curve.
pub(super) fn private_key(eeprom: &Eeprom, slot: Slot) -> Result<SigningKey, Status> {
    eeprom
        .slot(slot)
        .get(PAD..PAD + 32)
        .and_then(|scalar| SigningKey::from_slice(scalar).ok())
        .ok_or(Status::EccFault)
}
