//! The commands of the chip, one file each (section 5).

mod genkey;
mod info;
mod nonce;
mod random;
mod read;
mod sign;
mod verify;

pub use genkey::GenKeyPublic;
pub use info::InfoRevision;
pub use nonce::{NonceFixed, NonceTarget};
pub use random::Random;
pub use read::{Address, Read, ReadSize, Zone};
pub use sign::{DigestSource, SignExternal};
pub use verify::VerifyExternal;

use crate::{
    ResponseError, Status,
    packet::{Packet, Response},
    zone::ClockDivider,
};

/// A command with its typed result.
pub trait Command {
    /// The data sheet's name.
    const NAME: &'static str;
    /// The first byte of the packet.
    const OPCODE: u8;
    /// How long the chip is busy.
    const EXECUTION_TIME: ExecutionTime;
    /// What it gives when it succeeds.
    type Output;

    /// The command as it goes over the wire.
    fn packet(&self) -> Packet;

    /// The result in the chip's answer.
    ///
    /// # Errors
    /// When the answer is an error status or has the wrong length.
    fn output(&self, response: &Response) -> Result<Self::Output, ResponseError>;
}

/// How long the chip is busy with a command.
///
/// The longest times are those of the vendor's driver tables per clock divider. The typical times are
/// estimates that only decide when to ask first; a chip that is slower is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutionTime {
    /// Microseconds until a first look is worth it, at clock divider M0.
    pub typical_us: u32,
    /// Milliseconds after which the command has failed, for M0, M1 and M2.
    pub longest_ms: [u16; 3],
}

impl ExecutionTime {
    /// The time of the command with this opcode; that of the slowest command if the opcode is not known.
    pub const fn of(opcode: u8) -> Self {
        match opcode {
            GenKeyPublic::OPCODE => GenKeyPublic::EXECUTION_TIME,
            InfoRevision::OPCODE => InfoRevision::EXECUTION_TIME,
            NonceFixed::OPCODE => NonceFixed::EXECUTION_TIME,
            Random::OPCODE => Random::EXECUTION_TIME,
            Read::OPCODE => Read::EXECUTION_TIME,
            SignExternal::OPCODE => SignExternal::EXECUTION_TIME,
            VerifyExternal::OPCODE => VerifyExternal::EXECUTION_TIME,
            _ => Self { typical_us: 1_000, longest_ms: [250, 625, 2324] },
        }
    }

    /// The longest time at `divider`, in microseconds.
    pub const fn longest_us(self, divider: ClockDivider) -> u32 {
        self.longest_ms[divider as usize] as u32 * 1_000
    }
}

/// The data sheet's name of the command with this opcode.
pub const fn name(opcode: u8) -> &'static str {
    match opcode {
        GenKeyPublic::OPCODE => GenKeyPublic::NAME,
        InfoRevision::OPCODE => InfoRevision::NAME,
        NonceFixed::OPCODE => NonceFixed::NAME,
        Random::OPCODE => Random::NAME,
        Read::OPCODE => Read::NAME,
        SignExternal::OPCODE => SignExternal::NAME,
        VerifyExternal::OPCODE => VerifyExternal::NAME,
        _ => "unknown command",
    }
}

/// Whether a command with this opcode and mode may run twice with the same effect as once.
///
/// Everything that only reads, or only fills the volatile memory that the same transaction fills again, is
/// safe; whatever is not known to be safe is not.
pub const fn is_repeatable(opcode: u8, mode: u8) -> bool {
    match opcode {
        InfoRevision::OPCODE
        | NonceFixed::OPCODE
        | Random::OPCODE
        | Read::OPCODE
        | SignExternal::OPCODE
        | VerifyExternal::OPCODE => true,
        // Bit 2 makes a new private key (section 5.2.2.1).
        GenKeyPublic::OPCODE => mode & 0x04 == 0,
        _ => false,
    }
}

/// The `N` data bytes of a successful answer.
fn data<const N: usize>(response: &Response) -> Result<[u8; N], ResponseError> {
    match <[u8; N]>::try_from(response.data()) {
        Ok(data) if N != 1 => Ok(data),
        _ => match response.status() {
            Some(status) if status != Status::Success => Err(ResponseError::Status(status)),
            _ => Err(ResponseError::Length { expected: N, received: response.data().len() }),
        },
    }
}

/// The plain success of a command that gives nothing else.
fn success(response: &Response) -> Result<(), ResponseError> {
    match response.status() {
        Some(Status::Success) => Ok(()),
        Some(status) => Err(ResponseError::Status(status)),
        None => Err(ResponseError::Length { expected: 1, received: response.data().len() }),
    }
}
