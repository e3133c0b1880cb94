//! AES (section 5.3.1).

use aes::{
    Aes128,
    cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit},
};
use atecc::{Status, packet::Packet};
use ghash::{GHash, universal_hash::UniversalHash};

use super::{
    Data,
    access::{require, slot, use_key},
    answer,
    slot_rules::KeyType,
};
use crate::memory::Memory;

/// KeyID of TempKey.
const TEMP_KEY: u16 = 0xffff;
/// AES_Enable in the configuration zone.
const AES_ENABLE: usize = 13;
/// Bytes of a key and of a block.
const BLOCK: usize = 16;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let mode = packet.param1();
    // "The remaining mode bits are ignored" (section 5.3.1.3).
    if mode & 0x03 == 0x03 {
        return multiply(packet, memory);
    }
    let operation = mode & 0x07;
    let block: &[u8; BLOCK] = packet.data().try_into().map_err(|_| Status::ParseError)?;
    if operation > 0x01 || mode & 0x38 != 0 {
        return Err(Status::ParseError);
    }
    require(is_enabled(memory))?;
    let key = key(packet, memory, usize::from(mode >> 6) * BLOCK)?;
    let cipher = Aes128::new(&key.into());
    let mut block = (*block).into();
    if operation == 0x00 {
        cipher.encrypt_block(&mut block)
    } else {
        cipher.decrypt_block(&mut block)
    }
    answer(&block)
}

/// Whether the part does AES at all.
pub(super) fn is_enabled(memory: &Memory) -> bool {
    memory.configuration().as_bytes()[AES_ENABLE] & 0x01 != 0
}

/// One block under a key that is not in a slot of its own: what KDF needs.
pub(super) fn encrypt(key: [u8; BLOCK], block: [u8; BLOCK]) -> [u8; BLOCK] {
    let mut block = block.into();
    Aes128::new(&key.into()).encrypt_block(&mut block);
    block.into()
}

/// The key at byte `start` of TempKey, or of a slot for AES keys. TempKey stays (section 3.1).
fn key(packet: &Packet, memory: &mut Memory, start: usize) -> Result<[u8; BLOCK], Status> {
    if packet.param2() == TEMP_KEY {
        let temp_key = memory.volatile.temp_key()?;
        require(start < 32 || temp_key.is_64)?;
        return taken(&temp_key.value, start);
    }
    let slot = slot(packet.param2())?;
    let rules = memory.rules(slot);
    require(rules.key_type() == KeyType::Aes && !rules.is_marked_private())?;
    let key = taken(memory.eeprom().slot(slot), start)?;
    use_key(memory, slot)?;
    Ok(key)
}

/// The sixteen bytes at `start`.
pub(super) fn taken(source: &[u8], start: usize) -> Result<[u8; BLOCK], Status> {
    let key = source.get(start..start + BLOCK).and_then(|key| key.try_into().ok());
    key.ok_or(Status::ExecutionError)
}

/// GFM: the product of two blocks in the field of GCM (section 5.3.1.3).
fn multiply(packet: &Packet, memory: &Memory) -> Result<Data, Status> {
    let (h, input) = packet.data().split_first_chunk::<BLOCK>().ok_or(Status::ParseError)?;
    let input: [u8; BLOCK] = input.try_into().map_err(|_| Status::ParseError)?;
    require(is_enabled(memory))?;
    let mut product = GHash::new(&(*h).into());
    product.update(&[input.into()]);
    answer(&product.finalize())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, hex};
    use super::*;

    /// FIPS 197, appendix C.1.
    const KEY: &str = "000102030405060708090a0b0c0d0e0f";
    const CLEAR: &str = "00112233445566778899aabbccddeeff";
    const CIPHER: &str = "69c4e0d86a7b0430d8cdb78070b4c55a";

    #[test]
    fn the_vector_of_fips_197_in_every_position() {
        let mut bench = Bench::tng();
        for position in 0..4 {
            let mut slot = vec![0xaa; position * 16];
            slot.extend(hex(KEY));
            bench.fill(9, &slot);
            let mode = (position as u8) << 6;
            assert_eq!(bench.data(0x51, mode, 9, &hex(CLEAR)), hex(CIPHER));
            assert_eq!(bench.data(0x51, mode | 1, 9, &hex(CIPHER)), hex(CLEAR));
        }
    }

    #[test]
    fn temp_key_is_a_key_and_stays() {
        let mut bench = Bench::tng();
        assert_eq!(bench.status(0x51, 0x00, 0xffff, &hex(CLEAR)), Status::ExecutionError);
        bench.ok(0x16, 0x03, 0, &[hex(KEY), vec![0; 16]].concat());
        for _ in 0..2 {
            assert_eq!(bench.data(0x51, 0x00, 0xffff, &hex(CLEAR)), hex(CIPHER));
        }
        assert_eq!(bench.status(0x51, 0x80, 0xffff, &hex(CLEAR)), Status::ExecutionError);
    }

    #[test]
    fn the_field_of_gcm() {
        // Test case 2 of the GCM specification: the first product of GHASH.
        let mut bench = Bench::tng();
        let h = hex("66e94bd4ef8a2c3b884cfa59ca342b2e");
        let c = hex("0388dace60b6a392f328c2b971b2fe78");
        assert_eq!(bench.data(0x51, 0x03, 0, &[h, c].concat()), hex("5e2ec746917062882c85b0685353deb7"));
    }

    #[test]
    fn only_where_the_part_and_the_slot_are_for_aes() {
        let mut bench = Bench::tng();
        assert_eq!(bench.status(0x51, 0x00, 8, &[0; 16]), Status::ExecutionError);
        assert_eq!(bench.status(0x51, 0x02, 9, &[0; 16]), Status::ParseError);
        assert_eq!(bench.status(0x51, 0x00, 9, &[0; 15]), Status::ParseError);
        let mut without = Bench::configured(|zone| zone[AES_ENABLE] = 0);
        assert_eq!(without.status(0x51, 0x00, 10, &[0; 16]), Status::ExecutionError);
        assert_eq!(without.status(0x51, 0x03, 0, &[0; 32]), Status::ExecutionError);
    }
}
