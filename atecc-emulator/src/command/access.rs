//! What several commands need: the parameters that all share, keys out of slots, digests, random numbers.

use atecc::{Slot, Status, packet::Packet};
use p256::{PublicKey, ecdsa::SigningKey};
use sha2::{Digest as _, Sha256};

use super::{chip_options::ChipOptions, counter};
use crate::memory::Memory;

/// Where the 32 bytes of a private key lie in its slot of 36 (section 4.5.1).
const PAD: usize = 4;
/// The state of a public key in the high half of its slot's first byte (section 4.5.1).
const VALID: u8 = 0x50;

/// KeyID as the number of a slot.
pub(super) fn slot(number: u16) -> Result<Slot, Status> {
    u8::try_from(number).ok().and_then(Slot::new).ok_or(Status::ParseError)
}

/// Opcode, mode and Param2 as they stand in digests.
pub(super) fn header(packet: &Packet) -> [u8; 4] {
    let [low, high] = packet.param2().to_le_bytes();
    [packet.opcode(), packet.param1(), low, high]
}

/// SHA-256 over all parts.
pub(super) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    parts.iter().fold(Sha256::new(), |digest, part| digest.chain_update(part)).finalize().into()
}

/// SHA-256 over a value, the command, SN\[8\], SN\[0:1\], `zeros` zeros and another value: the shape of the
/// digests of GenDig, Write, PrivWrite and DeriveKey (sections 5.1.10 and 5.3.3).
pub(super) fn framed(memory: &Memory, first: &[u8], header: [u8; 4], zeros: usize, last: &[u8]) -> [u8; 32] {
    let serial = memory.serial_number();
    let zeros = &[0; 32][..zeros.min(32)];
    sha256(&[first, &header, &serial[8..], &serial[..2], zeros, last])
}

/// Whether two MACs are the same, in the time that comparing them all takes.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

pub(super) fn require(is_so: bool) -> Result<(), Status> {
    if is_so { Ok(()) } else { Err(Status::ExecutionError) }
}

/// The key in `slot` is about to be used: checks what all uses have in common, and counts it where uses are
/// limited. What a single command asks for is checked before.
///
/// # Errors
/// While the data zone is not locked; when the key needs an authorization or the persistent latch; when it was
/// used up.
pub(super) fn use_key(memory: &mut Memory, slot: Slot) -> Result<(), Status> {
    require(memory.configuration().is_data_locked())?;
    check_enabled(memory, slot)?;
    count_use(memory, slot)
}

/// The authorization and the latch that the key in `slot` may need.
pub(super) fn check_enabled(memory: &Memory, slot: Slot) -> Result<(), Status> {
    let rules = memory.rules(slot);
    if let Some(authorization) = rules.authorization() {
        require(memory.volatile.authorized == Some(authorization))?;
    }
    require(!rules.needs_latch() || memory.latches.persistent)
}

/// Counts a use of the key in `slot`, where uses are limited.
pub(super) fn count_use(memory: &mut Memory, slot: Slot) -> Result<(), Status> {
    if memory.rules(slot).is_limited() { counter::spend(memory) } else { Ok(()) }
}

/// The first 32 bytes of `slot`: a key for SHA-256.
pub(super) fn symmetric_key(memory: &Memory, slot: Slot) -> Result<[u8; 32], Status> {
    memory.eeprom().slot(slot).first_chunk().copied().ok_or(Status::ExecutionError)
}

/// The private key in `slot`.
///
/// # Errors
/// When the slot holds no key: zero, or a number that is not below the order of the curve.
pub(super) fn private_key(memory: &Memory, slot: Slot) -> Result<SigningKey, Status> {
    memory
        .eeprom()
        .slot(slot)
        .get(PAD..PAD + 32)
        .and_then(|scalar| SigningKey::from_slice(scalar).ok())
        .ok_or(Status::EccFault)
}

/// Stores a private key in `slot`, behind its padding.
pub(super) fn store_private_key(memory: &mut Memory, slot: Slot, scalar: &[u8]) {
    memory.write_slot(slot, 0, &[0; PAD]);
    memory.write_slot(slot, PAD, scalar);
}

/// X and Y of a key.
pub(super) fn coordinates(key: &SigningKey) -> Result<[u8; 64], Status> {
    let point = key.verifying_key().to_sec1_point(false);
    point.as_bytes().get(1..).and_then(|bytes| bytes.try_into().ok()).ok_or(Status::EccFault)
}

/// The point with these coordinates.
///
/// # Errors
/// When it is not on the curve.
pub(super) fn point(coordinates: &[u8; 64]) -> Result<PublicKey, Status> {
    let key = atecc::PublicKey::from_bytes(*coordinates);
    PublicKey::from_sec1_bytes(&key.to_sec1()).map_err(|_| Status::EccFault)
}

/// X and Y of the public key in `slot`, each behind four bytes of padding (section 4.5.1).
///
/// # Errors
/// When no public key can be there.
pub(super) fn stored_coordinates(memory: &Memory, slot: Slot) -> Result<[u8; 64], Status> {
    require(memory.rules(slot).is_public_key())?;
    let content = memory.eeprom().slot(slot);
    let (Some(x), Some(y)) = (content.get(4..36), content.get(40..72)) else {
        return Err(Status::ExecutionError);
    };
    let mut coordinates = [0; 64];
    coordinates[..32].copy_from_slice(x);
    coordinates[32..].copy_from_slice(y);
    Ok(coordinates)
}

/// Whether the public key in `slot` was validated.
pub(super) fn is_validated(memory: &Memory, slot: Slot) -> bool {
    memory.eeprom().slot(slot).first().is_some_and(|byte| byte & 0xf0 == VALID)
}

/// 32 bytes from the operating system, never from the EEPROM or a state that a fork would copy.
///
/// # Errors
/// When the generator is out of order (section 4.3).
pub(super) fn random_bytes(memory: &mut Memory) -> Result<[u8; 32], Status> {
    if memory.latches.is_generator_unhealthy {
        if ChipOptions::of(&memory.configuration()).clears_health_failure() {
            memory.latches.is_generator_unhealthy = false;
        }
        return Err(Status::HealthTestError);
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Status::HealthTestError)?;
    Ok(bytes)
}

/// What the generator gives: a fixed pattern until the configuration is locked (data sheet of
/// the ATECC508A).
pub(super) fn generator_output(memory: &mut Memory) -> Result<[u8; 32], Status> {
    if memory.configuration().is_configuration_locked() {
        return random_bytes(memory);
    }
    let mut pattern = [0x00; 32];
    pattern.chunks_exact_mut(4).for_each(|word| word[..2].fill(0xff));
    Ok(pattern)
}
