//! Nonce (section 5.1.4).

use atecc::{Status, packet::Packet};

use super::{
    Data,
    access::{generator_output, sha256},
    answer, success,
    volatile::{DigestBuffer, KeyBuffer, TempKey},
};
use crate::memory::Memory;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    match packet.param1() {
        0x00 | 0x01 => random(packet, memory),
        mode if mode & 0x03 == 0x03 => fixed(packet, mode, memory),
        _ => Err(Status::ParseError),
    }
}

/// Random mode (section 5.1.4.1): TempKey becomes the hash of a random number and of twenty bytes from outside.
fn random(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let input: &[u8; 20] = packet.data().try_into().map_err(|_| Status::ParseError)?;
    let (source, shows_result) = match packet.param2() {
        0x0000 => (generator_output(memory)?, false),
        0x8000 => (memory.volatile.take_temp_key()?.low(), true),
        _ => return Err(Status::ParseError),
    };
    let digest = sha256(&[&source, input, &[packet.opcode(), packet.param1(), 0x00]]);
    memory.volatile.temp_key = Some(TempKey::new(&digest, false));
    answer(if shows_result { &digest } else { &source })
}

/// Fixed mode (section 5.1.4.2): 32 or 64 bytes as they are, into the buffer that bits 7:6 name. Bit 5 is set
/// for 64 bytes.
fn fixed(packet: &Packet, mode: u8, memory: &mut Memory) -> Result<Data, Status> {
    let is_64 = mode & 0x20 != 0;
    if packet.param2() != 0 || packet.data().len() != if is_64 { 64 } else { 32 } {
        return Err(Status::ParseError);
    }
    match mode {
        0x03 | 0x23 => memory.volatile.temp_key = Some(TempKey::new(packet.data(), true)),
        0x43 | 0x63 => {
            let mut value = [0; 64];
            value[..packet.data().len()].copy_from_slice(packet.data());
            memory.volatile.message_digest_buffer = Some(DigestBuffer { value, is_64 });
        }
        0x83 => {
            let key = packet.data().try_into().map_err(|_| Status::ParseError)?;
            memory.volatile.alternate_key = Some(KeyBuffer(key));
        }
        _ => return Err(Status::ParseError),
    }
    success()
}
