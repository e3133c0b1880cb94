//! Read (section 5.1.6).

use atecc::{Slot, Status, packet::Packet};

use super::{Data, access::require, answer, volatile::Origin};
use crate::memory::Memory;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let length = if packet.param1() & 0x80 != 0 { 32 } else { 4 };
    if packet.param1() & 0x7c != 0 || !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    let address = packet.param2();
    let configuration = memory.configuration();
    match packet.param1() & 0x03 {
        0x00 => part(configuration.as_bytes(), start(address, address >> 3 & 0x03), length),
        0x01 => {
            // Not readable before the data zone is locked (section 2.3: it is on every Trust&GO part).
            require(configuration.is_data_locked())?;
            part(memory.eeprom().otp(), start(address, address >> 3 & 0x01), length)
        }
        0x02 => {
            let slot = Slot::new((address >> 3 & 0x0f) as u8).ok_or(Status::ParseError)?;
            require(configuration.is_data_locked())?;
            slot_part(memory, slot, start(address, address >> 8), length)
        }
        _ => Err(Status::ParseError),
    }
}

/// The byte that an address begins at, in this block.
pub(super) fn start(address: u16, block: u16) -> usize {
    usize::from(block) * 32 + usize::from(address & 0x07) * 4
}

fn slot_part(memory: &mut Memory, slot: Slot, start: usize, length: usize) -> Result<Data, Status> {
    let rules = memory.rules(slot);
    // Nothing that is marked private is ever read, whatever else its configuration says.
    require(!rules.is_marked_private())?;
    if !rules.is_secret() {
        return part(memory.eeprom().slot(slot), start, length);
    }
    // Encrypted (TFLXTLS data sheet, section 5.1.6.2): with what GenDig made of a random nonce and the read key.
    require(rules.is_read_encrypted() && length == 32)?;
    let data = part(memory.eeprom().slot(slot), start, length)?;
    let mask = memory.volatile.take_temp_key()?;
    require(rules.read_key().is_some_and(|key| mask.origin == Origin::GenDig(key)) && !mask.is_input)?;
    Ok(data.iter().zip(mask.value).map(|(byte, mask)| byte ^ mask).collect())
}

/// The bytes from `start`. The last block of a slot is shorter than 32 bytes; zeros fill it up.
fn part(zone: &[u8], start: usize, length: usize) -> Result<Data, Status> {
    let rest = zone.get(start..).filter(|rest| !rest.is_empty()).ok_or(Status::ParseError)?;
    if length == 32 && !start.is_multiple_of(32) && rest.len() < length {
        return Err(Status::ParseError);
    }
    let mut bytes = [0; 32];
    let there = rest.len().min(length);
    bytes[..there].copy_from_slice(&rest[..there]);
    answer(&bytes[..length])
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, sha};
    use super::*;

    #[test]
    fn the_whole_configuration_is_always_readable() {
        let mut bench = Bench::blank();
        let zone: Vec<u8> = (0..4).flat_map(|block| bench.data(0x02, 0x80, block << 3, &[])).collect();
        assert_eq!(zone, bench.memory.configuration().as_bytes());
        assert_eq!(bench.data(0x02, 0x00, 0x15, &[]), zone[84..88]);
    }

    #[test]
    fn neither_data_nor_otp_can_be_read_before_the_lock() {
        let mut bench = Bench::blank();
        assert_eq!(bench.status(0x02, 0x81, 0, &[]), Status::ExecutionError);
        assert_eq!(bench.status(0x02, 0x82, 8 << 3, &[]), Status::ExecutionError);
    }

    #[test]
    fn the_last_block_of_a_slot_is_filled_up_with_zeros() {
        let mut bench = Bench::tng();
        let slot = Slot::new(10).unwrap();
        let expected = [&bench.memory.eeprom().slot(slot)[64..], &[0; 24]].concat();
        assert_eq!(bench.data(0x02, 0x82, 0x0250, &[]), expected);
        assert_eq!(bench.status(0x02, 0x82, 0x0350, &[]), Status::ParseError);
    }

    #[test]
    fn an_encrypted_read_gives_the_slot_under_the_mask_of_gendig() {
        let mut bench = Bench::test_part();
        bench.fill(1, &[0x5a; 32]);
        bench.fill(4, &[0x44; 32]);
        assert_eq!(bench.status(0x02, 0x82, 0x0008, &[]), Status::ExecutionError);
        let nonce = bench.random_nonce();
        bench.ok(0x15, 0x02, 4, &[]);
        let mask = bench.framed(&[0x44; 32], [0x15, 0x02, 0x04, 0x00], 25, &nonce);
        let read = bench.data(0x02, 0x82, 0x0008, &[]);
        let clear: Vec<u8> = read.iter().zip(mask).map(|(a, b)| a ^ b).collect();
        assert_eq!(clear, [0x5a; 32]);
        // The mask was used up.
        assert_eq!(bench.status(0x02, 0x82, 0x0008, &[]), Status::ExecutionError);
        // A fixed nonce, or another key, is no mask.
        bench.ok(0x16, 0x03, 0, &sha(&[b"nonce"]));
        bench.ok(0x15, 0x02, 4, &[]);
        assert_eq!(bench.status(0x02, 0x82, 0x0008, &[]), Status::ExecutionError);
        bench.random_nonce();
        bench.ok(0x15, 0x02, 10, &[]);
        assert_eq!(bench.status(0x02, 0x82, 0x0008, &[]), Status::ExecutionError);
    }
}
