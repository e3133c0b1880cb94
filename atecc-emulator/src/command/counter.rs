//! Counter (section 5.1.1), and the counters themselves in bytes 52 to 67 of the configuration zone.

use atecc::{Slot, Status, packet::Packet};

use super::{Data, access::require, answer};
use crate::memory::Memory;

/// Counter\[0\] and Counter\[1\], eight bytes each.
const COUNTERS: usize = 52;
/// The last value (section 5.1.1).
const MAX: u32 = 2_097_151;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    if packet.param1() > 0x01 || packet.param2() > 0x01 || !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    let is_second = packet.param2() == 0x01;
    if packet.param1() == 0x01 {
        increment(memory, is_second)?;
    }
    answer(&value(memory, is_second).to_le_bytes())
}

/// The value of a counter.
pub(super) fn value(memory: &Memory, is_second: bool) -> u32 {
    decode(place(memory, is_second).1)
}

/// Counts one use of a limited key (SlotConfig.LimitedUse).
///
/// # Errors
/// When Counter\[0\] has reached the value in the slot that CountMatch (byte 18) names, or its end.
pub(super) fn spend(memory: &mut Memory) -> Result<(), Status> {
    let count_match = memory.configuration().as_bytes()[18];
    if count_match & 0x01 != 0
        && let Some(slot) = Slot::new(count_match >> 4)
        && let Some((limit, _)) = memory.eeprom().slot(slot).split_first_chunk::<4>()
    {
        require(value(memory, false) < u32::from_le_bytes(*limit))?;
    }
    increment(memory, false)
}

fn increment(memory: &mut Memory, is_second: bool) -> Result<(), Status> {
    let (start, before) = place(memory, is_second);
    let count = decode(before);
    require(count < MAX)?;
    let after = encode(count + 1);
    // The binary halves first: whenever power goes, the count is the old one or more, never less.
    for range in [4..6, 6..8, 0..2, 2..4] {
        if before[range.clone()] != after[range.clone()] {
            memory.write_configuration(start + range.start, &after[range]);
        }
    }
    Ok(())
}

fn place(memory: &Memory, is_second: bool) -> (usize, [u8; 8]) {
    let start = COUNTERS + if is_second { 8 } else { 0 };
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&memory.configuration().as_bytes()[start..start + 8]);
    (start, bytes)
}

/// Two linear counters, A and B, that lose one bit per count and take turns every 16 counts, and two binary
/// ones that say how often each has begun again. All four are 16 bits wide, high byte first.
fn encode(count: u32) -> [u8; 8] {
    let late = count.checked_sub(16);
    let linear = |count: u32| (0xffff_u32 >> (count % 32)) as u16;
    let binary = |count: u32| (count / 32) as u16;
    let mut bytes = [0; 8];
    let words = [linear(count), late.map_or(0xffff, linear), binary(count), late.map_or(0, binary)];
    for (place, word) in bytes.chunks_exact_mut(2).zip(words) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

fn decode(bytes: [u8; 8]) -> u32 {
    let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let (linear_a, linear_b) = (word(0).count_zeros(), word(2).count_zeros());
    let (binary_a, binary_b) = (u32::from(word(4)), u32::from(word(6)));
    // Torn in the last of all rounds, it would come out beyond the end.
    let count = if binary_a == binary_b {
        // B runs, or nothing ever began again.
        32 * binary_a + linear_a + linear_b
    } else {
        32 * binary_a.max(binary_b) + linear_a
    };
    count.min(MAX)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    #[test]
    fn every_count_survives_the_round_trip() {
        for count in (0..5_000).chain(MAX - 100..=MAX) {
            assert_eq!(decode(encode(count)), count);
        }
        assert_eq!(encode(0), [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
        assert_eq!(encode(MAX), [0x00, 0x00, 0x00, 0x01, 0xff, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn it_counts_and_ends() {
        let mut bench = Bench::tng();
        assert_eq!(bench.data(0x24, 0x00, 1, &[]), [0; 4]);
        for count in 1..=200_u32 {
            assert_eq!(bench.data(0x24, 0x01, 1, &[]), count.to_le_bytes());
        }
        assert_eq!(bench.data(0x24, 0x00, 0, &[]), [0; 4]);
        bench.memory.write_configuration(COUNTERS, &encode(MAX - 1));
        assert_eq!(bench.data(0x24, 0x01, 0, &[]), MAX.to_le_bytes());
        assert_eq!(bench.status(0x24, 0x01, 0, &[]), Status::ExecutionError);
        assert_eq!(bench.status(0x24, 0x01, 2, &[]), Status::ParseError);
    }

    #[test]
    fn no_count_is_lost_when_power_goes_between_two_bytes() {
        for count in 0..200 {
            for kept in 0..8 {
                let mut bench = Bench::tng();
                bench.memory.write_configuration(COUNTERS, &encode(count));
                bench.memory.begin();
                increment(&mut bench.memory, false).unwrap();
                bench.memory.take_back(kept);
                let torn = value(&bench.memory, false);
                assert!(torn >= count, "{count} became {torn} after {kept} bytes");
                increment(&mut bench.memory, false).unwrap();
                assert_eq!(value(&bench.memory, false), torn + 1);
            }
        }
    }
}
