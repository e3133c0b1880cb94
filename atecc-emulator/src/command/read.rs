//! Read (section 5.1.6).

use atecc::{Slot, Status, packet::Packet};

use super::{Data, answer, slot_rules::SlotRules};
use crate::Eeprom;

pub(super) fn execute(packet: &Packet, eeprom: &Eeprom) -> Result<Data, Status> {
    let length = if packet.param1() & 0x80 != 0 { 32 } else { 4 };
    if packet.param1() & 0x7c != 0 || !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    let address = packet.param2();
    let word = usize::from(address & 0x07) * 4;
    let configuration = eeprom.configuration();
    match packet.param1() & 0x03 {
        0x00 => part(configuration.as_bytes(), usize::from(address >> 3 & 0x03) * 32 + word, length),
        // Not readable before the data zone is locked (section 2.3: it is on every Trust&GO part).
        0x01 if !configuration.is_data_locked() => Err(Status::ExecutionError),
        0x01 => part(eeprom.otp(), usize::from(address >> 3 & 0x01) * 32 + word, length),
        0x02 => {
            let slot = Slot::new((address >> 3 & 0x0f) as u8).ok_or(Status::ParseError)?;
            let is_readable = SlotRules::of(&configuration, slot).is_readable();
            if !configuration.is_data_locked() || !is_readable {
                return Err(Status::ExecutionError);
            }
            part(eeprom.slot(slot), usize::from(address >> 8) * 32 + word, length)
        }
        _ => Err(Status::ParseError),
    }
}

/// The bytes from `start`; nothing beyond the end of a zone or slot is there to be read.
fn part(zone: &[u8], start: usize, length: usize) -> Result<Data, Status> {
    zone.get(start..start + length).ok_or(Status::ParseError).and_then(answer)
}
