//! The commands from inside, one file each (section 5): access rules, volatile memory, result or status.

mod access;
mod aes;
mod checkmac;
mod chip_options;
mod counter;
mod derivekey;
mod ecdh;
mod gendig;
mod genkey;
mod info;
mod io_protection;
mod kdf;
mod lock;
mod mac;
mod nonce;
mod privwrite;
mod random;
mod read;
mod secureboot;
mod selftest;
mod sha;
mod sign;
mod slot_rules;
pub(crate) mod time;
mod updateextra;
mod verify;
mod volatile;
mod write;

use atecc::{
    Status,
    packet::{MAX_RESPONSE_DATA, Packet, Response},
};
pub(crate) use slot_rules::SlotRules;
pub(crate) use volatile::Volatile;

use crate::memory::Memory;

/// The opcodes of the data sheets.
mod opcode {
    pub(super) const READ: u8 = 0x02;
    pub(super) const MAC: u8 = 0x08;
    pub(super) const WRITE: u8 = 0x12;
    pub(super) const GENDIG: u8 = 0x15;
    pub(super) const NONCE: u8 = 0x16;
    pub(super) const LOCK: u8 = 0x17;
    pub(super) const RANDOM: u8 = 0x1b;
    pub(super) const DERIVEKEY: u8 = 0x1c;
    pub(super) const UPDATEEXTRA: u8 = 0x20;
    pub(super) const COUNTER: u8 = 0x24;
    pub(super) const CHECKMAC: u8 = 0x28;
    pub(super) const INFO: u8 = 0x30;
    pub(super) const GENKEY: u8 = 0x40;
    pub(super) const SIGN: u8 = 0x41;
    pub(super) const ECDH: u8 = 0x43;
    pub(super) const VERIFY: u8 = 0x45;
    pub(super) const PRIVWRITE: u8 = 0x46;
    pub(super) const SHA: u8 = 0x47;
    pub(super) const AES: u8 = 0x51;
    pub(super) const KDF: u8 = 0x56;
    pub(super) const SELFTEST: u8 = 0x77;
    pub(super) const SECUREBOOT: u8 = 0x80;
}

/// Runs one command.
///
/// # Errors
/// The status that the chip answers when it refuses. What it wrote into the EEPROM until then stays: a use of a
/// limited key counts although the command fails.
pub(crate) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Response, Status> {
    if !is_allowed_in_failure_state(packet) && memory.volatile.failed_tests != 0 {
        return Err(Status::SelfTestError);
    }
    let result = match packet.opcode() {
        opcode::READ => read::execute(packet, memory),
        opcode::MAC => mac::execute(packet, memory),
        opcode::WRITE => write::execute(packet, memory),
        opcode::GENDIG => gendig::execute(packet, memory),
        opcode::NONCE => nonce::execute(packet, memory),
        opcode::LOCK => lock::execute(packet, memory),
        opcode::RANDOM => random::execute(packet, memory),
        opcode::DERIVEKEY => derivekey::execute(packet, memory),
        opcode::UPDATEEXTRA => updateextra::execute(packet, memory),
        opcode::COUNTER => counter::execute(packet, memory),
        opcode::CHECKMAC => checkmac::execute(packet, memory),
        opcode::INFO => info::execute(packet, memory),
        opcode::GENKEY => genkey::execute(packet, memory),
        opcode::SIGN => sign::execute(packet, memory),
        opcode::ECDH => ecdh::execute(packet, memory),
        opcode::VERIFY => verify::execute(packet, memory),
        opcode::PRIVWRITE => privwrite::execute(packet, memory),
        opcode::SHA => sha::execute(packet, memory),
        opcode::AES => aes::execute(packet, memory),
        opcode::KDF => kdf::execute(packet, memory),
        opcode::SELFTEST => selftest::execute(packet, memory),
        opcode::SECUREBOOT => secureboot::execute(packet, memory),
        _ => Err(Status::ParseError),
    };
    if !matches!(packet.opcode(), opcode::NONCE | opcode::SHA) {
        // Only Nonce and SHA leave the buffer as it is (section 3.2).
        memory.volatile.message_digest_buffer = None;
    }
    result.and_then(|data| Response::new(&data).map_err(|_| Status::ExecutionError))
}

/// What a chip whose self test failed still does: SelfTest, and Read of the configuration (section 5.1.7).
fn is_allowed_in_failure_state(packet: &Packet) -> bool {
    match packet.opcode() {
        opcode::SELFTEST => true,
        opcode::READ => packet.param1() & 0x03 == 0x00,
        _ => false,
    }
}

/// The data of a result: SHA gives up to 99 bytes.
type Data = heapless::Vec<u8, MAX_RESPONSE_DATA>;

/// A successful answer with this data.
fn answer(data: &[u8]) -> Result<Data, Status> {
    Data::from_slice(data).map_err(|_| Status::ExecutionError)
}

/// A successful answer without data.
fn success() -> Result<Data, Status> {
    answer(&[Status::Success.code()])
}

#[cfg(test)]
mod known_answers;
#[cfg(test)]
mod products;
#[cfg(test)]
mod testing;
