//! Info (section 5.1.2).

use atecc::{Slot, Status, packet::Packet};

use super::{
    Data,
    access::{point, private_key, require, slot, stored_coordinates},
    answer,
    volatile::Volatile,
};
use crate::memory::Memory;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    if !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    match packet.param1() {
        0x00 => answer(&memory.configuration().revision().0),
        0x01 => answer(&[0, 0, 0, u8::from(is_key_valid(memory, slot(packet.param2())?)?)]),
        0x02 => {
            let [high, low] = state(&memory.volatile);
            answer(&[0, 0, high, low])
        }
        // The pin of single-wire parts (TFLXTLS data sheet, section 5.1.2.4); an I2C part has none.
        0x03 => Err(Status::ExecutionError),
        0x04 => latch(packet, memory),
        _ => Err(Status::ParseError),
    }
}

/// KeyValid mode (section 5.1.2.2).
fn is_key_valid(memory: &Memory, slot: Slot) -> Result<bool, Status> {
    let rules = memory.rules(slot);
    if rules.is_private_key() {
        return Ok(memory.replayed_key(slot).is_some() || private_key(memory, slot).is_ok());
    }
    stored_coordinates(memory, slot).map(|coordinates| point(&coordinates).is_ok())
}

/// Device state (table 5-10), byte 1 then byte 0: TempKey.Valid and AuthComplete, then the flags of TempKey.
/// SourceFlag is set here for a random number, as that table has it.
fn state(volatile: &Volatile) -> [u8; 2] {
    let authorized = volatile.authorized.map_or(0, |slot| slot.number() << 3 | 0x04);
    match &volatile.temp_key {
        Some(temp_key) => [0x80 | authorized, temp_key.flags() ^ 0x10],
        None => [authorized, 0x00],
    }
}

/// The persistent latch (TFLXTLS data sheet, section 5.1.2.5). Param2 is 0 to read it; bit 1 sets it to bit 0,
/// which takes VolatileKeyPermission (byte 69: bit 7 enables it, bits 3:0 name the key that must have been
/// authorized). The answer has its value in the first byte, where the vendor's driver looks for it.
fn latch(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    match packet.param2() {
        0x0000 => {}
        param2 @ (0x0002 | 0x0003) => {
            let permission = memory.configuration().as_bytes()[69];
            let key = Slot::new(permission & 0x0f);
            require(permission & 0x80 != 0 && key.is_some() && memory.volatile.authorized == key)?;
            memory.latches.persistent = param2 & 0x0001 != 0;
        }
        _ => return Err(Status::ParseError),
    }
    answer(&[u8::from(memory.latches.persistent), 0, 0, 0])
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, sha};
    use super::*;

    #[test]
    fn the_state_shows_what_is_in_temp_key() {
        let mut bench = Bench::tng();
        assert_eq!(bench.data(0x30, 0x02, 0, &[]), [0, 0, 0, 0]);
        bench.fixed_nonce(&[1; 32]);
        assert_eq!(bench.data(0x30, 0x02, 0, &[]), [0, 0, 0x80, 0x00]);
        bench.random_nonce();
        assert_eq!(bench.data(0x30, 0x02, 0, &[]), [0, 0, 0x80, 0x10]);
        bench.ok(0x15, 0x02, 8, &[]);
        assert_eq!(bench.data(0x30, 0x02, 0, &[]), [0, 0, 0x80, 0x38]);
    }

    #[test]
    fn a_key_is_valid_if_there_is_one() {
        let mut bench = Bench::tng();
        assert_eq!(bench.data(0x30, 0x01, 0, &[]), [0, 0, 0, 1]);
        assert_eq!(bench.data(0x30, 0x01, 11, &[]), [0, 0, 0, 1]);
        bench.fill(4, &[0; 36]);
        assert_eq!(bench.data(0x30, 0x01, 4, &[]), [0, 0, 0, 0]);
        assert_eq!(bench.data(0x30, 0x01, 13, &[]), [0, 0, 0, 0]);
        assert_eq!(bench.status(0x30, 0x01, 8, &[]), Status::ExecutionError);
    }

    #[test]
    fn the_latch_opens_a_key_after_an_authorization() {
        // Slot 5 holds AES keys and depends on the latch; slot 4 authorizes it.
        let mut bench = Bench::test_part();
        bench.fill(4, &[0x44; 32]);
        assert_eq!(bench.status(0x51, 0x00, 5, &[0; 16]), Status::ExecutionError);
        assert_eq!(bench.status(0x30, 0x04, 3, &[]), Status::ExecutionError);
        let challenge = [7; 32];
        let zone = bench.memory.configuration();
        let zone = zone.as_bytes();
        let response = sha(&[&[0x44; 32], &challenge, &[0; 15], &zone[12..13], &[0; 4], &zone[..2], &[0; 2]]);
        bench.ok(0x28, 0x00, 4, &[&challenge[..], &response, &[0; 13]].concat());
        assert_eq!(bench.data(0x30, 0x04, 3, &[]), [1, 0, 0, 0]);
        assert_eq!(bench.data(0x51, 0x00, 5, &[0; 16]).len(), 16);
        assert_eq!(bench.data(0x30, 0x04, 2, &[]), [0; 4]);
    }
}
