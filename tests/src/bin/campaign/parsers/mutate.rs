//! Changes to valid bytes.

use super::super::Random;

/// Values that limits are made of.
const EDGES: [u8; 10] = [0x00, 0x01, 0x03, 0x04, 0x07, 0x7f, 0x80, 0x81, 0xfe, 0xff];

/// One of `seeds` with none to eight changes.
pub(super) fn mutant(random: &mut Random, seeds: &[Vec<u8>], longest: usize) -> Vec<u8> {
    let mut bytes = pick(random, seeds).clone();
    for _ in 0..[0, 1, 1, 1, 2, 2, 3, 8][random.below(8)] {
        change(random, &mut bytes, seeds);
    }
    bytes.truncate(longest);
    bytes
}

/// One of several.
pub(super) fn pick<'a, T>(random: &mut Random, among: &'a [T]) -> &'a T {
    &among[random.below(among.len())]
}

/// One change: of a bit, of a byte, of a number, of the length, or of a part.
fn change(random: &mut Random, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let at = random.below(bytes.len());
    let length = random.below(bytes.len() - at.min(bytes.len())).min(1 + random.below(32));
    match (random.below(10), bytes.get_mut(at)) {
        (0 | 1, Some(byte)) => *byte ^= 1 << random.below(8),
        (2, Some(byte)) => *byte = *pick(random, &EDGES),
        (3, Some(byte)) => *byte = random.next() as u8,
        (4, Some(byte)) => *byte = byte.wrapping_add(random.below(9) as u8).wrapping_sub(4),
        (5, _) => drop(bytes.drain(at..at + length)),
        (6, _) => bytes.truncate(at),
        (7, _) => drop(bytes.splice(at..at, random.bytes(16))),
        (8, _) => {
            let part = bytes[at..at + length].to_vec();
            bytes.splice(at..at, part);
        }
        _ => {
            // The rest of another one.
            let other = pick(random, seeds);
            bytes.truncate(at);
            bytes.extend_from_slice(other.get(at..).unwrap_or_default());
        }
    }
}
