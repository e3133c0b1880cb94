//! Sign (section 5.2.3).

use atecc::{Slot, Status, packet::Packet};
use p256::ecdsa::{Signature, signature::hazmat::RandomizedPrehashSigner};

use super::{
    Data,
    access::{header, private_key, require, sha256, slot, use_key},
    answer,
    volatile::Origin,
};
use crate::memory::Memory;

/// Bit 7 of the mode: a message from outside.
const EXTERNAL: u8 = 0x80;
/// Bit 6: the whole serial number takes part.
const SERIAL_NUMBER: u8 = 0x40;
/// Bit 5: the digest is in the Message Digest Buffer.
const DIGEST_BUFFER: u8 = 0x20;
/// Bit 0: for Verify in Invalidate mode.
const INVALIDATE: u8 = 0x01;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let mode = packet.param1();
    let legal = DIGEST_BUFFER | SERIAL_NUMBER | if mode & EXTERNAL != 0 { EXTERNAL } else { INVALIDATE };
    if mode & !legal != 0 || !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    let slot = slot(packet.param2())?;
    let rules = memory.rules(slot);
    require(rules.is_private_key() && rules.is_secret())?;
    require(if mode & EXTERNAL != 0 { rules.signs_external() } else { rules.signs_internal() })?;
    let digest = match mode & (EXTERNAL | DIGEST_BUFFER) {
        EXTERNAL => memory.volatile.take_temp_key()?.low(),
        0x00 | DIGEST_BUFFER => internal(packet, memory, slot)?,
        _ => buffered(memory)?,
    };
    let key = private_key(memory, slot)?;
    use_key(memory, slot)?;
    let signature: Signature =
        key.sign_prehash_with_rng(&mut getrandom::SysRng, &digest).map_err(|_| Status::EccFault)?;
    answer(&signature.to_bytes())
}

/// The digest in the Message Digest Buffer, which can be used once (section 3.2).
pub(super) fn buffered(memory: &mut Memory) -> Result<[u8; 32], Status> {
    let buffer = memory.volatile.message_digest_buffer.take().ok_or(Status::ExecutionError)?;
    buffer.value.first_chunk().copied().ok_or(Status::ExecutionError)
}

/// The digest over what GenDig or GenKey left in TempKey, and over where it came from (section 5.2.3.1).
fn internal(packet: &Packet, memory: &mut Memory, signer: Slot) -> Result<[u8; 32], Status> {
    let temp_key = memory.volatile.take_temp_key()?;
    let (Origin::GenDig(source) | Origin::GenKey(source)) = temp_key.origin else {
        return Err(Status::ExecutionError);
    };
    require(!memory.rules(signer).needs_random() || !temp_key.is_input)?;
    let serial = memory.serial_number();
    let unique = if packet.param1() & SERIAL_NUMBER != 0 { serial } else { [0; 9] };
    let source = memory.rules(source);
    Ok(sha256(&[
        &temp_key.low(),
        &header(packet),
        &source.raw(),
        &[temp_key.flags(), 0, 0],
        &serial[8..],
        &unique[4..8],
        &serial[..2],
        &unique[2..4],
        &[u8::from(!source.is_slot_locked()), packet.param1() & INVALIDATE, 0],
    ]))
}

#[cfg(test)]
mod tests {
    use atecc::{PublicKey, Signature};

    use super::super::testing::{Bench, sha};
    use super::*;

    #[test]
    fn the_internal_message_is_that_of_the_data_sheet() {
        for mode in [0x00, 0x20, 0x40, 0x60, 0x01] {
            let mut bench = Bench::tng();
            let attestation: [u8; 64] = bench.data(0x40, 0x00, 1, &[]).try_into().unwrap();
            let nonce = bench.random_nonce();
            let key = bench.data(0x40, 0x0c, 2, &[]);
            let signature: [u8; 64] = bench.data(0x41, mode, 1, &[]).try_into().unwrap();

            let sn = bench.memory.serial_number();
            let digest = sha(&[&nonce, &[0x40, 0x0c, 2, 0], &sn[8..], &sn[..2], &[0; 25], &key]);
            let unique = if mode & 0x40 != 0 { sn } else { [0; 9] };
            let message = sha(&[
                &digest,
                &[0x41, mode, 1, 0],
                // SlotConfig and KeyConfig of slot 2, GenKeyData and KeyID.
                &[0x85, 0x20, 0x73, 0x00, 0x42, 0, 0],
                &sn[8..],
                &unique[4..8],
                &sn[..2],
                &unique[2..4],
                &[1, mode & 1, 0],
            ]);
            let key = PublicKey::from_bytes(attestation);
            assert!(key.verify(&message, &Signature::from_bytes(signature)), "mode {mode:02x}");
        }
    }

    #[test]
    fn the_attestation_key_signs_nothing_from_outside_and_the_others_nothing_from_inside() {
        let mut bench = Bench::tng();
        bench.fixed_nonce(&[1; 32]);
        assert_eq!(bench.status(0x41, 0x80, 1, &[]), Status::ExecutionError);
        bench.random_nonce();
        bench.data(0x40, 0x08, 0, &[]);
        assert_eq!(bench.status(0x41, 0x00, 0, &[]), Status::ExecutionError);
        // A nonce is no internal message.
        bench.random_nonce();
        assert_eq!(bench.status(0x41, 0x00, 1, &[]), Status::ExecutionError);
    }

    #[test]
    fn a_limited_key_counts_and_is_used_up() {
        let mut bench = Bench::test_part();
        bench.new_key(0);
        // Counter match: two uses.
        bench.fill(10, &[2, 0, 0, 0, 2, 0, 0, 0]);
        for _ in 0..2 {
            bench.sign(0, &[1; 32]);
        }
        bench.ok(0x16, 0x43, 0, &[1; 32]);
        assert_eq!(bench.status(0x41, 0xa0, 0, &[]), Status::ExecutionError);
        assert_eq!(bench.data(0x24, 0x00, 0, &[]), [2, 0, 0, 0]);
    }
}
