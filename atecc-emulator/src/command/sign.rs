//! Sign (section 5.2.3).

use atecc::{Slot, Status, packet::Packet};
use p256::ecdsa::{Signature, signature::hazmat::RandomizedPrehashSigner};

use super::{Data, answer, genkey, slot_rules::SlotRules, volatile::Volatile};
use crate::Eeprom;

pub(super) fn execute(packet: &Packet, eeprom: &Eeprom, volatile: &mut Volatile) -> Result<Data, Status> {
    // Bit 7: an external message. Internal ones are made by commands that this version does not have.
    let mode = packet.param1();
    if mode & !0x20 != 0x80 || !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    let slot = u8::try_from(packet.param2()).ok().and_then(Slot::new).ok_or(Status::ParseError)?;
    let rules = SlotRules::of(&eeprom.configuration(), slot);
    if !rules.is_private_key() || !rules.signs_external() {
        return Err(Status::ExecutionError);
    }
    let digest = volatile.take_digest(mode).ok_or(Status::ExecutionError)?;
    let key = genkey::private_key(eeprom, slot)?;
    let signature: Signature =
        key.sign_prehash_with_rng(&mut getrandom::SysRng, &digest).map_err(|_| Status::EccFault)?;
    answer(&signature.to_bytes())
}
