//! ECDH (section 5.2.1).

use atecc::{Slot, Status, packet::Packet};
use p256::{PublicKey, SecretKey};
use zeroize::Zeroizing;

use super::{
    Data,
    access::{point, private_key, require, slot, use_key},
    answer,
    chip_options::{ChipOptions, OutputRule},
    io_protection, success,
    volatile::{Origin, TempKey},
};
use crate::memory::Memory;

/// Where the shared secret goes: bits 3:2 of the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Slot(Slot),
    TempKey,
    Output { is_masked: bool },
}

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let coordinates: &[u8; 64] = packet.data().try_into().map_err(|_| Status::ParseError)?;
    let mode = packet.param1();
    if mode & 0xf0 != 0 || mode & 0x02 != 0 && mode & 0x0c != 0x0c {
        return Err(Status::ParseError);
    }
    let is_ephemeral = mode & 0x01 != 0;
    let target = target(packet, memory, is_ephemeral)?;
    let rule = ChipOptions::of(&memory.configuration()).ecdh_output();
    require(is_permitted(rule, target))?;
    let other = point(coordinates)?;
    let secret = if is_ephemeral {
        let key = memory.volatile.temp_key.take().filter(|key| key.origin == Origin::PrivateKey);
        let key = key.ok_or(Status::ExecutionError)?;
        agreed(&SecretKey::from_slice(&key.value[..32]).map_err(|_| Status::EccFault)?, &other)
    } else {
        let slot = slot(packet.param2())?;
        let rules = memory.rules(slot);
        require(rules.is_private_key() && rules.is_secret() && rules.agrees_keys())?;
        let key = private_key(memory, slot)?;
        use_key(memory, slot)?;
        agreed(&key.into(), &other)
    };
    match target {
        Target::Slot(slot) => {
            memory.write_slot(slot, 0, &*secret);
            success()
        }
        Target::TempKey => {
            memory.volatile.temp_key = Some(TempKey::new(&*secret, true));
            success()
        }
        Target::Output { is_masked } if is_masked || rule == OutputRule::Encrypted => {
            io_protection::masked(memory, &*secret)
        }
        Target::Output { .. } => answer(&*secret),
    }
}

/// The target that the mode names. Without one, SlotConfig decides, as it does on an ATECC508A.
fn target(packet: &Packet, memory: &Memory, is_ephemeral: bool) -> Result<Target, Status> {
    let mode = packet.param1();
    match mode & 0x0c {
        0x00 if is_ephemeral => Err(Status::ParseError),
        0x00 if memory.rules(slot(packet.param2())?).keeps_agreed_key() => next_slot(packet, memory),
        0x00 => Ok(Target::Output { is_masked: false }),
        0x04 if is_ephemeral => {
            let slot = slot(packet.param2())?;
            let rules = memory.rules(slot);
            require(memory.configuration().is_data_locked())?;
            require(rules.takes_derived_keys() && !rules.is_slot_locked())?;
            Ok(Target::Slot(slot))
        }
        0x04 => {
            let target = next_slot(packet, memory)?;
            // Asked for by the packet and not by the configuration: only into a slot that is there for it.
            require(matches!(target, Target::Slot(next) if memory.rules(next).takes_derived_keys()))?;
            Ok(target)
        }
        0x08 => Ok(Target::TempKey),
        _ => Ok(Target::Output { is_masked: mode & 0x02 != 0 }),
    }
}

/// The slot behind an even one.
fn next_slot(packet: &Packet, memory: &Memory) -> Result<Target, Status> {
    let key = slot(packet.param2())?;
    let next = Slot::new(key.number() | 1).filter(|&next| next != key).ok_or(Status::ExecutionError)?;
    let rules = memory.rules(next);
    require(!rules.is_marked_private() && !rules.is_slot_locked())?;
    Ok(Target::Slot(next))
}

/// ECDHPROT (section 2.1). A secret that may leave only under a mask gets one, whether it was asked for or not.
fn is_permitted(rule: OutputRule, target: Target) -> bool {
    match rule {
        OutputRule::Clear | OutputRule::Encrypted => true,
        OutputRule::Internal => !matches!(target, Target::Output { .. }),
        OutputRule::Volatile => target == Target::TempKey,
    }
}

fn agreed(key: &SecretKey, other: &PublicKey) -> Zeroizing<[u8; 32]> {
    let secret = p256::ecdh::diffie_hellman(key.to_nonzero_scalar(), other.as_affine());
    Zeroizing::new((*secret.raw_secret_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, hex, sha};
    use super::*;

    /// RFC 5903, section 8.1: two private keys and what they agree on.
    const I: &str = "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433";
    const R: &str = "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53";
    const SECRET: &str = "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de";

    /// A Trust&GO part with the key I in slot 0, and the public key of R.
    fn bench() -> (Bench, Vec<u8>) {
        let mut bench = Bench::tng();
        bench.fill(0, &[vec![0; 4], hex(R)].concat());
        let other = bench.data(0x40, 0x00, 0, &[]);
        bench.fill(0, &[vec![0; 4], hex(I)].concat());
        (bench, other)
    }

    #[test]
    fn the_vector_of_rfc_5903_in_the_clear() {
        let (mut bench, other) = bench();
        assert_eq!(bench.data(0x43, 0x0c, 0, &other), hex(SECRET));
        assert_eq!(bench.data(0x43, 0x00, 0, &other), hex(SECRET));
    }

    #[test]
    fn under_the_io_protection_key() {
        let (mut bench, other) = bench();
        bench.fill(6, &[0x66; 32]);
        let output = bench.data(0x43, 0x0e, 0, &other);
        let (masked, nonce) = output.split_at(32);
        let mask = sha(&[&[0x66; 32], &nonce[..16]]);
        let clear: Vec<u8> = masked.iter().zip(mask).map(|(a, b)| a ^ b).collect();
        assert_eq!((clear, nonce.len()), (hex(SECRET), 32));
    }

    #[test]
    fn into_temp_key_and_into_a_slot_for_keys() {
        let (mut bench, other) = bench();
        bench.ok(0x43, 0x08, 0, &other);
        assert_eq!(bench.memory.volatile.temp_key().unwrap().low()[..], hex(SECRET));
        let public: Vec<u8> = bench.data(0x40, 0x04, 0xffff, &[]);
        bench.ok(0x43, 0x05, 9, &other);
        let stored = bench.memory.eeprom().slot(Slot::new(9).unwrap())[..32].to_vec();
        bench.fill(0, &[vec![0; 4], hex(R)].concat());
        assert_eq!(bench.data(0x43, 0x0c, 0, &public), stored);
        // The ephemeral key was used up; slot 8 is for data, not for keys.
        assert_eq!(bench.status(0x43, 0x0d, 0, &other), Status::ExecutionError);
        bench.data(0x40, 0x04, 0xffff, &[]);
        assert_eq!(bench.status(0x43, 0x05, 8, &other), Status::ExecutionError);
    }

    #[test]
    fn slot_config_may_keep_the_secret_in_the_next_slot() {
        let mut bench = Bench::test_part();
        bench.fill(10, &[0xff; 8]);
        bench.fill(0, &[vec![0; 4], hex(R)].concat());
        let other = bench.data(0x40, 0x00, 0, &[]);
        bench.fill(0, &[vec![0; 4], hex(I)].concat());
        bench.ok(0x43, 0x00, 0, &other);
        assert_eq!(bench.memory.eeprom().slot(Slot::new(1).unwrap())[..32], hex(SECRET));
    }

    #[test]
    fn a_point_beside_the_curve_and_a_key_for_other_uses_are_refused() {
        let (mut bench, other) = bench();
        assert_eq!(bench.status(0x43, 0x0c, 0, &[5; 64]), Status::EccFault);
        assert_eq!(bench.status(0x43, 0x0c, 1, &other), Status::ExecutionError);
        assert_eq!(bench.status(0x43, 0x0a, 0, &other), Status::ParseError);
    }
}
