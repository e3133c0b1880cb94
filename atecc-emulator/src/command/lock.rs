//! Lock (section 5.1.3; for the zones, the data sheet of the ATECC508A).

use atecc::{Slot, Status, packet::Packet};

use super::{Data, access::require, success};
use crate::memory::Memory;

/// LockValue, LockConfig and SlotLocked in the configuration zone.
const LOCK_VALUE: usize = 86;
const LOCK_CONFIG: usize = 87;
const SLOT_LOCKED: usize = 88;
/// What a lock byte becomes.
const LOCKED: u8 = 0x00;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let mode = packet.param1();
    if mode & 0x40 != 0 || !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    let configuration = memory.configuration();
    // Bit 7: without the checksum of what is locked.
    let checks = mode & 0x80 == 0;
    match mode & 0x3f {
        0x00 => {
            require(!configuration.is_configuration_locked())?;
            require(!checks || crc(configuration.as_bytes().iter().copied()) == packet.param2())?;
            memory.write_configuration(LOCK_CONFIG, &[LOCKED]);
        }
        0x01 => {
            require(configuration.is_configuration_locked() && !configuration.is_data_locked())?;
            require(!checks || crc(memory.eeprom().data_and_otp()) == packet.param2())?;
            memory.write_configuration(LOCK_VALUE, &[LOCKED]);
        }
        zone if zone & 0x03 == 0x02 => {
            let slot = Slot::new(zone >> 2).ok_or(Status::ParseError)?;
            lock_slot(memory, slot)?;
        }
        _ => return Err(Status::ParseError),
    }
    success()
}

/// SlotLock (section 5.1.3.1).
fn lock_slot(memory: &mut Memory, slot: Slot) -> Result<(), Status> {
    let configuration = memory.configuration();
    let rules = memory.rules(slot);
    require(configuration.is_configuration_locked() && rules.is_lockable() && !rules.is_slot_locked())?;
    let place = SLOT_LOCKED + usize::from(slot.number() / 8);
    let byte = configuration.as_bytes()[place] & !(1 << (slot.number() % 8));
    memory.write_configuration(place, &[byte]);
    Ok(())
}

/// The CRC-16 of section 4.1. The zones are longer than a packet, so it is computed here bit by bit.
fn crc(bytes: impl Iterator<Item = u8>) -> u16 {
    bytes
        .flat_map(|byte| (0..8).map(move |bit| u16::from(byte >> bit & 1)))
        .fold(0, |register, bit| register << 1 ^ if register >> 15 ^ bit == 1 { 0x8005 } else { 0 })
}

#[cfg(test)]
mod tests {
    use atecc::packet::crc16;

    use super::super::testing::Bench;
    use super::*;

    #[test]
    fn a_blank_part_is_locked_zone_by_zone_with_the_right_checksum() {
        let mut bench = Bench::blank();
        assert_eq!(bench.status(0x17, 0x81, 0, &[]), Status::ExecutionError);
        let checksum = u16::from_le_bytes(crc16(bench.memory.configuration().as_bytes()));
        assert_eq!(bench.status(0x17, 0x00, !checksum, &[]), Status::ExecutionError);
        bench.ok(0x17, 0x00, checksum, &[]);
        assert_eq!(bench.status(0x17, 0x80, 0, &[]), Status::ExecutionError);

        let content: Vec<u8> = bench.memory.eeprom().data_and_otp().collect();
        assert_eq!(content.len(), 1208 + 64);
        bench.ok(0x17, 0x01, u16::from_le_bytes(crc16(&content)), &[]);
        assert!(bench.memory.configuration().is_data_locked());
        assert_eq!(bench.status(0x17, 0x81, 0, &[]), Status::ExecutionError);
    }

    #[test]
    fn a_slot_is_locked_once_and_only_if_it_is_lockable() {
        let mut bench = Bench::tng();
        for slot in 0..16 {
            let is_lockable = matches!(slot, 2..=4 | 6 | 8 | 13 | 15);
            let expected = if is_lockable { Status::Success } else { Status::ExecutionError };
            assert_eq!(bench.status(0x17, slot << 2 | 0x02, 0, &[]), expected, "slot {slot}");
        }
        assert_eq!(bench.status(0x17, 8 << 2 | 0x02, 0, &[]), Status::ExecutionError);
        assert_eq!(bench.status(0x17, 0x03, 0, &[]), Status::ParseError);
    }
}
