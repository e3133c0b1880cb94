//! The commands from inside, one file each (section 5): access rules, volatile memory, result or status.

mod genkey;
mod info;
mod nonce;
mod random;
mod read;
mod sign;
mod slot_rules;
mod verify;
mod volatile;

use std::time::Duration;

use atecc::{
    Status,
    packet::{Packet, Response},
};
pub(crate) use volatile::Volatile;

use crate::Eeprom;

/// The opcodes of the data sheet that this version answers.
mod opcode {
    pub(super) const READ: u8 = 0x02;
    pub(super) const NONCE: u8 = 0x16;
    pub(super) const RANDOM: u8 = 0x1b;
    pub(super) const INFO: u8 = 0x30;
    pub(super) const GENKEY: u8 = 0x40;
    pub(super) const SIGN: u8 = 0x41;
    pub(super) const VERIFY: u8 = 0x45;
}

/// How long the command with this opcode takes, typically, at clock divider M0. Estimates: the data sheets
/// only give the longest times.
pub(crate) const fn execution_time(opcode: u8) -> Duration {
    Duration::from_micros(match opcode {
        opcode::READ => 800,
        opcode::NONCE => 1_500,
        opcode::RANDOM => 12_000,
        opcode::GENKEY => 50_000,
        opcode::SIGN => 60_000,
        opcode::VERIFY => 70_000,
        _ => 500,
    })
}

/// Runs one command.
///
/// # Errors
/// The status that the chip answers when it refuses.
pub(crate) fn execute(packet: &Packet, eeprom: &Eeprom, volatile: &mut Volatile) -> Result<Response, Status> {
    let result = match packet.opcode() {
        opcode::READ => read::execute(packet, eeprom),
        opcode::NONCE => nonce::execute(packet, eeprom, volatile),
        opcode::RANDOM => random::execute(packet, eeprom),
        opcode::INFO => info::execute(packet, eeprom, volatile),
        opcode::GENKEY => genkey::execute(packet, eeprom),
        opcode::SIGN => sign::execute(packet, eeprom, volatile),
        opcode::VERIFY => verify::execute(packet, volatile),
        _ => Err(Status::ParseError),
    };
    if packet.opcode() != opcode::NONCE {
        // Only Nonce and SHA leave the buffer as it is (section 3.2).
        volatile.message_digest_buffer = None;
    }
    result.and_then(|data| Response::new(&data).map_err(|_| Status::ExecutionError))
}

/// The data of a result, 1 to 64 bytes.
type Data = heapless::Vec<u8, 64>;

/// A successful answer with this data.
fn answer(data: &[u8]) -> Result<Data, Status> {
    Data::from_slice(data).map_err(|_| Status::ExecutionError)
}

/// A successful answer without data.
fn success() -> Result<Data, Status> {
    answer(&[Status::Success.code()])
}

/// 32 bytes from the operating system, never from the EEPROM or a state that a fork would copy.
fn random_bytes() -> Result<[u8; 32], Status> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Status::HealthTestError)?;
    Ok(bytes)
}
