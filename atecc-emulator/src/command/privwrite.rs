//! PrivWrite (section 4.5.1; the data sheet of the ATECC508A): a private key from outside.

use atecc::{Status, packet::Packet};
use p256::ecdsa::SigningKey;

use super::{
    Data,
    access::{framed, header, is_same, require, sha256, slot, store_private_key},
    success,
    volatile::Origin,
};
use crate::memory::Memory;

/// Four bytes of padding and the key.
const KEY: usize = 36;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let is_encrypted = match packet.param1() {
        0x00 => false,
        0x40 => true,
        _ => return Err(Status::ParseError),
    };
    let slot = slot(packet.param2())?;
    let (key, mac) = packet.data().split_first_chunk::<KEY>().ok_or(Status::ParseError)?;
    // In clear text the MAC may be there or not; nobody looks at it.
    match mac.len() {
        32 => {}
        0 if !is_encrypted => {}
        _ => return Err(Status::ParseError),
    }
    let configuration = memory.configuration();
    let rules = memory.rules(slot);
    require(configuration.is_configuration_locked() && rules.is_private_key() && !rules.is_slot_locked())?;
    if configuration.is_data_locked() {
        require(rules.takes_private_keys() && is_encrypted)?;
    }
    let mut key = *key;
    if is_encrypted {
        let write_key = rules.write_key().filter(|_| configuration.is_data_locked());
        decrypt(packet, memory, write_key.map(Origin::GenDig), &mut key, mac)?;
    }
    let scalar = &key[4..];
    SigningKey::from_slice(scalar).map_err(|_| Status::EccFault)?;
    store_private_key(memory, slot, scalar);
    success()
}

/// Takes the mask off and checks the MAC. The last four bytes have a mask of their own.
fn decrypt(
    packet: &Packet,
    memory: &mut Memory,
    origin: Option<Origin>,
    key: &mut [u8; KEY],
    mac: &[u8],
) -> Result<(), Status> {
    let mask = memory.volatile.take_temp_key()?;
    require(origin.map_or(matches!(mask.origin, Origin::GenDig(_)), |origin| mask.origin == origin))?;
    let low = mask.low();
    let tail = sha256(&[&low]);
    key.iter_mut().zip(low.iter().chain(&tail)).for_each(|(byte, mask)| *byte ^= mask);
    let expected = framed(memory, &low, header(packet), 21, &*key);
    require(is_same(&expected, mac))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, sha};
    use super::*;

    /// The scalar 1, whose public key is the generator of the curve.
    const ONE: [u8; 36] = {
        let mut key = [0; 36];
        key[35] = 1;
        key
    };
    /// X of the generator (SEC 2, section 2.4.2).
    const GENERATOR_X: [u8; 4] = [0x6b, 0x17, 0xd1, 0xf2];

    #[test]
    fn in_clear_text_only_before_the_data_lock() {
        let mut bench = Bench::configured(|zone| zone[86] = 0x55);
        bench.ok(0x46, 0x00, 0, &ONE);
        assert_eq!(bench.data(0x40, 0x00, 0, &[])[..4], GENERATOR_X);
        bench.ok(0x46, 0x00, 0, &[&ONE[..], &[0; 32]].concat());
        assert_eq!(bench.status(0x46, 0x00, 0, &[0; 36]), Status::EccFault);
        assert_eq!(Bench::test_part().status(0x46, 0x00, 7, &ONE), Status::ExecutionError);
    }

    #[test]
    fn encrypted_with_the_write_key_and_a_mac() {
        let mut bench = Bench::test_part();
        bench.fill(4, &[0x44; 32]);
        let nonce = bench.random_nonce();
        bench.ok(0x15, 0x02, 4, &[]);
        let mask = bench.framed(&[0x44; 32], [0x15, 0x02, 0x04, 0x00], 25, &nonce);
        let mac = bench.framed(&mask, [0x46, 0x40, 0x07, 0x00], 21, &ONE);
        let masks = [mask, sha(&[&mask])].concat();
        let message: Vec<u8> = ONE.iter().zip(masks).map(|(a, b)| a ^ b).chain(mac).collect();
        bench.ok(0x46, 0x40, 7, &message);
        assert_eq!(bench.data(0x40, 0x00, 7, &[])[..4], GENERATOR_X);
        // The mask was used up, and slot 0 takes no keys from outside.
        assert_eq!(bench.status(0x46, 0x40, 7, &message), Status::ExecutionError);
        assert_eq!(bench.status(0x46, 0x40, 0, &message), Status::ExecutionError);
    }
}
