//! Info (section 5.1.2).

use atecc::{Slot, Status, packet::Packet};

use super::{Data, answer, genkey, slot_rules::SlotRules, volatile::Volatile};
use crate::Eeprom;

pub(super) fn execute(packet: &Packet, eeprom: &Eeprom, volatile: &Volatile) -> Result<Data, Status> {
    if !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    match packet.param1() {
        0x00 => answer(&eeprom.configuration().revision().0),
        0x01 => answer(&[0, 0, 0, u8::from(is_key_valid(packet, eeprom)?)]),
        0x02 => {
            let [high, low] = state(volatile);
            answer(&[0, 0, high, low])
        }
        _ => Err(Status::ParseError),
    }
}

/// KeyValid mode (section 5.1.2.2).
fn is_key_valid(packet: &Packet, eeprom: &Eeprom) -> Result<bool, Status> {
    let slot = u8::try_from(packet.param2()).ok().and_then(Slot::new).ok_or(Status::ParseError)?;
    if !SlotRules::of(&eeprom.configuration(), slot).is_private_key() {
        return Err(Status::ExecutionError);
    }
    Ok(genkey::private_key(eeprom, slot).is_ok())
}

/// Device state (table 5-10), byte 1 then byte 0: TempKey.Valid, and whether TempKey holds a random number of
/// the chip. The other flags belong to commands that this version does not have.
fn state(volatile: &Volatile) -> [u8; 2] {
    match &volatile.temp_key {
        Some(temp_key) => [0x80, if temp_key.is_input { 0x00 } else { 0x10 }],
        None => [0x00, 0x00],
    }
}
