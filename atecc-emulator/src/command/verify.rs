//! Verify (section 5.2.4; Validate and Invalidate: TFLXTLS data sheet, section 5.2.5.3).

use atecc::{PublicKey, Signature, Slot, Status, packet::Packet};

use super::{
    Data,
    access::{header, is_validated, point, require, sha256, slot, stored_coordinates, use_key},
    answer, io_protection, opcode, success,
    volatile::Origin,
};
use crate::memory::Memory;

/// Bit 7 of the mode: a MAC answers for the result.
const MAC: u8 = 0x80;
/// Bit 5: the digest is in the Message Digest Buffer.
const DIGEST_BUFFER: u8 = 0x20;
/// KeyID of P-256 (table 5-51).
const P256: u16 = 0x0004;
/// The state of a public key in the first byte of its slot (section 4.5.1).
const VALID: u8 = 0x50;
const INVALID: u8 = 0xa0;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let mode = packet.param1();
    let (signature, rest) = packet.data().split_first_chunk::<64>().ok_or(Status::ParseError)?;
    match mode & !(MAC | DIGEST_BUFFER) {
        0x00 if rest.is_empty() => {
            let slot = slot(packet.param2())?;
            let key = usable_key(memory, slot)?;
            let needs_random = memory.rules(slot).needs_random();
            let message = Message::take(memory, mode, needs_random)?;
            use_key(memory, slot)?;
            message.verify(packet, memory, &key, signature)
        }
        0x02 if packet.param2() == P256 => {
            let key = rest.try_into().map_err(|_| Status::ParseError)?;
            Message::take(memory, mode, false)?.verify(packet, memory, key, signature)
        }
        0x03 | 0x07 if mode & (MAC | DIGEST_BUFFER) == 0 => {
            let other = rest.try_into().map_err(|_| Status::ParseError)?;
            set_validity(packet, memory, signature, other)
        }
        _ => Err(Status::ParseError),
    }
}

/// The public key in `slot`.
///
/// # Errors
/// When there is none, or it must be validated first.
pub(super) fn usable_key(memory: &Memory, slot: Slot) -> Result<[u8; 64], Status> {
    let key = stored_coordinates(memory, slot)?;
    require(!memory.rules(slot).needs_validation() || is_validated(memory, slot))?;
    Ok(key)
}

/// Whether the signature is right.
///
/// # Errors
/// When the key is no point of the curve.
pub(super) fn is_signed(key: &[u8; 64], digest: &[u8; 32], signature: &[u8; 64]) -> Result<bool, Status> {
    point(key)?;
    Ok(PublicKey::from_bytes(*key).verify(digest, &Signature::from_bytes(*signature)))
}

/// What was signed, and the nonce of the system if a MAC is wanted.
struct Message {
    digest: [u8; 32],
    nonce: Option<[u8; 32]>,
}

impl Message {
    /// Takes both from where bits 7 and 5 of the mode say. A key with ReqRandom verifies only what the chip's
    /// random numbers went into.
    fn take(memory: &mut Memory, mode: u8, needs_random: bool) -> Result<Self, Status> {
        let buffer = memory.volatile.message_digest_buffer.take();
        let (digest, nonce) = if mode & DIGEST_BUFFER != 0 {
            require(!needs_random)?;
            let buffer = buffer.ok_or(Status::ExecutionError)?;
            let (digest, nonce) = buffer.value.split_at(32);
            let digest = digest.try_into().map_err(|_| Status::ExecutionError)?;
            (digest, buffer.is_64.then_some(nonce.try_into().map_err(|_| Status::ExecutionError)?))
        } else {
            let temp_key = memory.volatile.take_temp_key()?;
            require(!needs_random || !temp_key.is_input)?;
            (temp_key.low(), buffer.and_then(|buffer| buffer.value.first_chunk().copied()))
        };
        let wants_mac = mode & MAC != 0;
        require(!wants_mac || nonce.is_some())?;
        Ok(Self { digest, nonce: nonce.filter(|_| wants_mac) })
    }

    fn verify(
        &self,
        packet: &Packet,
        memory: &Memory,
        key: &[u8; 64],
        signature: &[u8; 64],
    ) -> Result<Data, Status> {
        let io_key = self.nonce.map(|_| io_protection::key(memory)).transpose()?;
        if !is_signed(key, &self.digest, signature)? {
            return Err(Status::Miscompare);
        }
        match (self.nonce, io_key) {
            (Some(nonce), Some(io_key)) => {
                answer(&sha256(&[&io_key, &self.digest, &nonce, signature, &header(packet)]))
            }
            _ => success(),
        }
    }
}

/// Validate (0x03) and Invalidate (0x07): the key in the slot that ReadKey names signed a message about the
/// public key, whose digest GenKey has put into TempKey.
fn set_validity(
    packet: &Packet,
    memory: &mut Memory,
    signature: &[u8; 64],
    other: &[u8; 19],
) -> Result<Data, Status> {
    let slot = slot(packet.param2())?;
    let rules = memory.rules(slot);
    require(memory.configuration().is_data_locked())?;
    require(rules.needs_validation() && !rules.is_slot_locked())?;
    let invalidates = packet.param1() & 0x04 != 0;
    require((other[17] & 0x01 != 0) == invalidates)?;
    let parent = rules.read_key().ok_or(Status::ExecutionError)?;
    let key = usable_key(memory, parent)?;
    let temp_key = memory.volatile.take_temp_key()?;
    require(temp_key.origin == Origin::GenKey(slot))?;

    let serial = memory.serial_number();
    let message = sha256(&[
        &temp_key.low(),
        &[opcode::SIGN],
        &other[..10],
        &serial[8..],
        &other[10..14],
        &serial[..2],
        &other[14..],
    ]);
    use_key(memory, parent)?;
    if !is_signed(&key, &message, signature)? {
        return Err(Status::Miscompare);
    }
    let first = memory.eeprom().slot(slot).first().copied().unwrap_or_default();
    memory.write_slot(slot, 0, &[first & 0x0f | if invalidates { INVALID } else { VALID }]);
    success()
}

#[cfg(test)]
mod tests;
