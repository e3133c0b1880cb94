//! GenKey (section 5.2.2).

use atecc::{Slot, Status, packet::Packet};
use p256::ecdsa::SigningKey;

use super::{
    Data,
    access::{
        coordinates, header, private_key, random_bytes, require, sha256, slot, store_private_key,
        stored_coordinates,
    },
    answer, success,
    volatile::{Origin, TempKey},
};
use crate::memory::Memory;

/// KeyID of an ephemeral key.
const TEMP_KEY: u16 = 0xffff;
/// Draws until a number is below the order of the curve; one nearly always is.
const DRAWS: usize = 8;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    if !matches!(packet.data().len(), 0 | 3) {
        return Err(Status::ParseError);
    }
    match packet.param1() {
        0x04 if packet.param2() == TEMP_KEY => ephemeral(memory),
        mode @ (0x00 | 0x04 | 0x08 | 0x0c) => {
            let slot = slot(packet.param2())?;
            let public_key =
                if mode & 0x04 != 0 { create(memory, slot, mode)? } else { public_key(memory, slot, mode)? };
            if mode & 0x08 != 0 {
                keep_digest(memory, slot, header(packet), &public_key)?;
            }
            answer(&public_key)
        }
        mode if mode & 0x10 != 0 && mode & !0x1c == 0 => {
            let &[a, b, c] = packet.data() else { return Err(Status::ParseError) };
            let slot = slot(packet.param2())?;
            let public_key = stored_coordinates(memory, slot)?;
            check_nonce(memory, slot)?;
            keep_digest(memory, slot, [packet.opcode(), a, b, c], &public_key)?;
            success()
        }
        _ => Err(Status::ParseError),
    }
}

/// A new private key in TempKey, for ECDH (section 5.2.2.2).
fn ephemeral(memory: &mut Memory) -> Result<Data, Status> {
    require(memory.configuration().is_configuration_locked())?;
    let key = new_key(memory)?;
    let origin = Origin::PrivateKey;
    memory.volatile.temp_key = Some(TempKey { origin, ..TempKey::new(&key.to_bytes(), false) });
    answer(&coordinates(&key)?)
}

/// A new private key in `slot` (section 5.2.2.1).
fn create(memory: &mut Memory, slot: Slot, mode: u8) -> Result<[u8; 64], Status> {
    let configuration = memory.configuration();
    let rules = memory.rules(slot);
    require(configuration.is_configuration_locked() && rules.is_private_key() && !rules.is_slot_locked())?;
    if configuration.is_data_locked() {
        require(rules.is_regenerable() && rules.is_secret())?;
        if let Some(authorization) = rules.authorization() {
            require(memory.volatile.authorized == Some(authorization))?;
        }
    }
    if mode & 0x08 != 0 {
        check_nonce(memory, slot)?;
    }
    let key = new_key(memory)?;
    store_private_key(memory, slot, &key.to_bytes());
    coordinates(&key)
}

/// The public key of the private key in `slot` (section 5.2.2.3).
fn public_key(memory: &Memory, slot: Slot, mode: u8) -> Result<[u8; 64], Status> {
    let rules = memory.rules(slot);
    require(memory.configuration().is_configuration_locked())?;
    require(rules.is_private_key() && rules.gives_public_key())?;
    if mode & 0x08 != 0 {
        check_nonce(memory, slot)?;
    }
    match memory.replayed_key(slot) {
        Some(key) => Ok(*key.as_bytes()),
        None => coordinates(&private_key(memory, slot)?),
    }
}

/// A digest needs a TempKey, with a random number in it if the key asks for that.
fn check_nonce(memory: &Memory, slot: Slot) -> Result<(), Status> {
    let temp_key = memory.volatile.temp_key()?;
    require(!memory.rules(slot).needs_random() || !temp_key.is_input)
}

/// TempKey becomes the digest of itself and of a public key (tables behind 5-44 and 5-46).
fn keep_digest(memory: &mut Memory, slot: Slot, header: [u8; 4], key: &[u8; 64]) -> Result<(), Status> {
    let serial = memory.serial_number();
    let temp_key = memory.volatile.temp_key()?;
    let digest = sha256(&[&temp_key.low(), &header, &serial[8..], &serial[..2], &[0; 25], key]);
    let replaced = temp_key.replaced(&digest, Origin::GenKey(slot));
    memory.volatile.temp_key = Some(replaced);
    Ok(())
}

fn new_key(memory: &mut Memory) -> Result<SigningKey, Status> {
    for _ in 0..DRAWS {
        let scalar = zeroize::Zeroizing::new(random_bytes(memory)?);
        if let Ok(key) = SigningKey::from_slice(&*scalar) {
            return Ok(key);
        }
    }
    Err(Status::EccFault)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, sha};
    use super::*;

    #[test]
    fn only_where_the_configuration_says_so() {
        let mut bench = Bench::tng();
        for slot in [0, 1, 5, 8, 11] {
            assert_eq!(bench.status(0x40, 0x04, slot, &[]), Status::ExecutionError, "slot {slot}");
        }
        let before = bench.data(0x40, 0x00, 2, &[]);
        let new = bench.data(0x40, 0x04, 2, &[]);
        assert_ne!(before, new);
        assert_eq!(bench.data(0x40, 0x00, 2, &[]), new);
        bench.ok(0x17, 0x0a, 0, &[]);
        assert_eq!(bench.status(0x40, 0x04, 2, &[]), Status::ExecutionError);
    }

    #[test]
    fn the_digest_of_a_public_key_is_that_of_the_data_sheet() {
        let mut bench = Bench::tng();
        let serial = bench.memory.serial_number();
        assert_eq!(bench.status(0x40, 0x08, 0, &[]), Status::ExecutionError);
        bench.fixed_nonce(&[3; 32]);
        // KeyConfig.ReqRandom of slot 0.
        assert_eq!(bench.status(0x40, 0x08, 0, &[]), Status::ExecutionError);
        let nonce = bench.random_nonce();
        let key = bench.data(0x40, 0x08, 0, &[]);
        let expected = sha(&[&nonce, &[0x40, 0x08, 0x00, 0x00], &serial[8..], &serial[..2], &[0; 25], &key]);
        let temp_key = bench.memory.volatile.temp_key().unwrap();
        assert_eq!((temp_key.low(), temp_key.flags()), (expected, 0x40));
    }

    #[test]
    fn the_digest_of_a_stored_key_takes_three_bytes_instead_of_the_mode() {
        let mut bench = Bench::tng();
        let serial = bench.memory.serial_number();
        bench.fixed_nonce(&[3; 32]);
        bench.ok(0x40, 0x10, 11, &[9, 8, 7]);
        let content = bench.memory.eeprom().slot(Slot::new(11).unwrap()).to_vec();
        let expected = sha(&[
            &[3; 32],
            &[0x40, 9, 8, 7],
            &serial[8..],
            &serial[..2],
            &[0; 25],
            &content[4..36],
            &content[40..],
        ]);
        let temp_key = bench.memory.volatile.temp_key().unwrap();
        assert_eq!((temp_key.low(), temp_key.flags()), (expected, 0x5b));
        assert_eq!(bench.status(0x40, 0x10, 10, &[0; 3]), Status::ExecutionError);
    }

    #[test]
    fn an_ephemeral_key_is_for_ecdh_only() {
        let mut bench = Bench::tng();
        assert_eq!(bench.data(0x40, 0x04, 0xffff, &[0; 3]).len(), 64);
        assert_eq!(bench.status(0x41, 0x80, 0, &[]), Status::ExecutionError);
        assert_eq!(bench.status(0x08, 0x02, 0, &[0; 32]), Status::ExecutionError);
        // Making another key does not touch it.
        bench.new_key(2);
        let other = bench.new_key(3);
        assert_eq!(bench.data(0x43, 0x0d, 0, &other).len(), 32);
    }
}
