//! Nonce (section 5.1.4).

use atecc::{Status, packet::Packet};
use sha2::{Digest, Sha256};

use super::{
    Data, answer, random_bytes, success,
    volatile::{TempKey, Volatile},
};
use crate::Eeprom;

pub(super) fn execute(packet: &Packet, eeprom: &Eeprom, volatile: &mut Volatile) -> Result<Data, Status> {
    match packet.param1() {
        0x00 | 0x01 => random(packet, eeprom, volatile),
        mode if mode & 0x03 == 0x03 => fixed(packet, mode, volatile),
        _ => Err(Status::ParseError),
    }
}

/// Random mode (section 5.1.4.1): TempKey becomes the hash of a random number and of twenty bytes from outside.
fn random(packet: &Packet, eeprom: &Eeprom, volatile: &mut Volatile) -> Result<Data, Status> {
    let input: &[u8; 20] = packet.data().try_into().map_err(|_| Status::ParseError)?;
    let (source, shows_result) = match packet.param2() {
        0x0000 if eeprom.configuration().is_configuration_locked() => (random_bytes()?, false),
        0x0000 => ([0; 32], false),
        0x8000 => {
            let temp_key = volatile.temp_key.take().ok_or(Status::ExecutionError)?;
            (temp_key.value.first_chunk().copied().ok_or(Status::ExecutionError)?, true)
        }
        _ => return Err(Status::ParseError),
    };
    let digest: [u8; 32] = Sha256::new()
        .chain_update(source)
        .chain_update(input)
        .chain_update([packet.opcode(), packet.param1(), 0x00])
        .finalize()
        .into();
    let mut value = [0; 64];
    value[..32].copy_from_slice(&digest);
    volatile.temp_key = Some(TempKey { value, is_input: false });
    answer(if shows_result { &digest } else { &source })
}

/// Fixed mode (section 5.1.4.2): 32 or 64 bytes as they are, into the buffer that bits 7:6 name. Bit 5 is set
/// for 64 bytes.
fn fixed(packet: &Packet, mode: u8, volatile: &mut Volatile) -> Result<Data, Status> {
    let length = if mode & 0x20 != 0 { 64 } else { 32 };
    if packet.param2() != 0 || packet.data().len() != length {
        return Err(Status::ParseError);
    }
    let mut value = [0; 64];
    value[..length].copy_from_slice(packet.data());
    match mode & !0x20 {
        0x03 => volatile.temp_key = Some(TempKey { value, is_input: true }),
        0x43 => volatile.message_digest_buffer = Some(value),
        _ => return Err(Status::ParseError),
    }
    success()
}
