//! DeriveKey (TNGLORA data sheet, section 5.3.3).

use atecc::{Status, packet::Packet};

use super::{
    Data,
    access::{check_enabled, count_use, framed, header, is_same, require, sha256, slot, symmetric_key},
    success,
};
use crate::memory::Memory;

/// Bit 2 of the mode: must be as TempKey.SourceFlag.
const SOURCE_FLAG: u8 = 0x04;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let mode = packet.param1();
    if mode & !SOURCE_FLAG != 0 || !matches!(packet.data().len(), 0 | 32) {
        return Err(Status::ParseError);
    }
    let target = slot(packet.param2())?;
    let rules = memory.rules(target);
    let rule = rules.derive_rule().ok_or(Status::ExecutionError)?;
    require(memory.configuration().is_configuration_locked())?;
    require(!rules.is_slot_locked() && !rules.is_marked_private())?;
    require(!rule.needs_mac || !packet.data().is_empty())?;

    let parent = rules.write_key().ok_or(Status::ExecutionError)?;
    let source = if rule.is_from_parent { parent } else { target };
    let temp_key = memory.volatile.take_temp_key()?;
    require(temp_key.is_input == (mode & SOURCE_FLAG != 0) && !temp_key.is_no_mac)?;
    let source_rules = memory.rules(source);
    require(!source_rules.is_marked_private())?;
    require(!source_rules.needs_random() || !temp_key.is_input)?;
    check_enabled(memory, source)?;

    if rule.needs_mac {
        // With the parent's key, also where the target rolls.
        require(!memory.rules(parent).is_marked_private())?;
        check_enabled(memory, parent)?;
        let key = symmetric_key(memory, parent)?;
        let serial = memory.serial_number();
        let expected = sha256(&[&key, &header(packet), &serial[8..], &serial[..2]]);
        require(is_same(&expected, packet.data()))?;
    }
    if rule.needs_mac || rule.is_from_parent {
        // The limit of the target itself is ignored.
        count_use(memory, parent)?;
    }
    let key = symmetric_key(memory, source)?;
    let derived = framed(memory, &key, header(packet), 25, &temp_key.low());
    memory.write_slot(target, 0, &derived);
    success()
}

#[cfg(test)]
mod tests {
    use atecc::Slot;

    use super::super::testing::{Bench, sha};
    use super::*;

    fn content(bench: &Bench, slot: u8) -> Vec<u8> {
        bench.memory.eeprom().slot(Slot::new(slot).unwrap())[..32].to_vec()
    }

    #[test]
    fn a_key_rolls() {
        // Slot 9 of the test part: 0x64C4, the target itself, without a MAC.
        let mut bench = Bench::test_part();
        bench.fill(9, &[0x99; 32]);
        let nonce = bench.random_nonce();
        bench.ok(0x1c, 0x00, 9, &[]);
        assert_eq!(content(&bench, 9), bench.framed(&[0x99; 32], [0x1c, 0, 9, 0], 25, &nonce));
        assert_eq!(bench.status(0x1c, 0x00, 9, &[]), Status::ExecutionError);
    }

    #[test]
    fn a_key_is_made_from_its_parent_with_a_mac() {
        // Slot 3: 0xF4C4, from slot 4, with a MAC.
        let mut bench = Bench::test_part();
        bench.fill(4, &[0x44; 32]);
        let sn = bench.memory.serial_number();
        bench.random_nonce();
        assert_eq!(bench.status(0x1c, 0x00, 3, &[0; 32]), Status::ExecutionError);
        let nonce = bench.random_nonce();
        assert_eq!(bench.status(0x1c, 0x00, 3, &[]), Status::ExecutionError);
        let mac = sha(&[&[0x44; 32], &[0x1c, 0, 3, 0], &sn[8..], &sn[..2]]);
        bench.ok(0x1c, 0x00, 3, &mac);
        assert_eq!(content(&bench, 3), bench.framed(&[0x44; 32], [0x1c, 0, 3, 0], 25, &nonce));
    }

    #[test]
    fn a_key_that_rolls_may_need_a_mac_of_its_parent() {
        // Slot 9 with bit 15: 0xE4C4.
        let mut bench = Bench::configured(|zone| zone[20 + 19] = 0xe4);
        bench.fill(4, &[0x44; 32]);
        bench.fill(9, &[0x99; 32]);
        let sn = bench.memory.serial_number();
        let nonce = bench.random_nonce();
        bench.ok(0x1c, 0x00, 9, &sha(&[&[0x44; 32], &[0x1c, 0, 9, 0], &sn[8..], &sn[..2]]));
        assert_eq!(content(&bench, 9), bench.framed(&[0x99; 32], [0x1c, 0, 9, 0], 25, &nonce));
    }

    #[test]
    fn other_slots_are_no_targets() {
        let mut bench = Bench::test_part();
        for slot in [1, 4, 6, 8, 10] {
            bench.random_nonce();
            assert_eq!(bench.status(0x1c, 0x00, slot, &[]), Status::ExecutionError, "slot {slot}");
        }
    }
}
