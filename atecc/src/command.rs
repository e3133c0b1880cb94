//! The commands of the chip, one file each (section 5).

mod aes;
mod checkmac;
mod counter;
mod derivekey;
mod ecdh;
mod gendig;
mod genkey;
mod info;
mod kdf;
mod lock;
mod mac;
mod nonce;
mod privwrite;
mod random;
mod read;
mod secureboot;
mod selftest;
mod sequence;
mod sha;
mod sign;
#[cfg(test)]
mod tests;
mod updateextra;
mod verify;
mod write;

pub use aes::{AesDecrypt, AesEncrypt, AesGfm, AesKey, AesKeyPosition};
pub use checkmac::CheckMac;
pub use counter::{CounterIncrement, CounterRead};
pub use derivekey::DeriveKey;
pub use ecdh::{Ecdh, EcdhKey, EcdhProtected, EcdhToSlot, EcdhToTempKey};
pub use gendig::{GenDig, GenDigSource};
pub use genkey::{GenKeyEphemeral, GenKeyPrivate, GenKeyPublic, GenKeyPublicDigest, GenKeyStoredDigest};
pub use info::{DeviceState, InfoKeyValid, InfoLatch, InfoRevision, InfoState};
pub use kdf::{
    HkdfMessage, Kdf, KdfFunction, KdfMessage, KdfOutput, KdfSource, KdfTarget, PrfKeyLength, PrfLength,
};
pub use lock::{LockConfiguration, LockData, LockSlot};
pub use mac::{Mac, MacInput};
pub use nonce::{NonceFixed, NonceFixed64, NonceOrigin, NonceRandom, NonceTarget, NonceTarget64};
pub use privwrite::PrivWriteEncrypted;
pub use random::Random;
pub use read::{Address, Read, ReadSize, Zone};
pub use secureboot::{SecureBoot, SecureBootCheck, SecureBootProtected};
pub use selftest::{SelfTest, SelfTests};
pub use sequence::Sequence;
pub(crate) use sequence::output;
pub use sha::{
    HmacKey, SHA_BLOCK, SHA_CONTEXT, ShaChunk, ShaEnd, ShaHmacStart, ShaPublic, ShaReadContext, ShaStart,
    ShaTarget, ShaUpdate, ShaWriteContext,
};
pub use sign::{DigestSource, SignExternal, SignInternal};
pub use updateextra::{ExtraByte, UpdateExtra};
pub use verify::{Validity, VerifyExternal, VerifyKey, VerifyStored, VerifyValidity, VerifyWithMac};
pub use write::{Write, WriteData, WriteEncrypted};

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
    /// Microseconds that it usually takes, at clock divider M0.
    pub typical_us: u32,
    /// Milliseconds after which the command has failed, for M0, M1 and M2.
    pub longest_ms: [u16; 3],
}

impl ExecutionTime {
    /// The time of the command with this opcode; that of the slowest command if the opcode is not known.
    pub const fn of(opcode: u8) -> Self {
        match opcode {
            AesEncrypt::OPCODE => AesEncrypt::EXECUTION_TIME,
            CheckMac::OPCODE => CheckMac::EXECUTION_TIME,
            CounterRead::OPCODE => CounterRead::EXECUTION_TIME,
            DeriveKey::OPCODE => DeriveKey::EXECUTION_TIME,
            Ecdh::OPCODE => Ecdh::EXECUTION_TIME,
            GenDig::OPCODE => GenDig::EXECUTION_TIME,
            GenKeyPublic::OPCODE => GenKeyPublic::EXECUTION_TIME,
            InfoRevision::OPCODE => InfoRevision::EXECUTION_TIME,
            Kdf::OPCODE => Kdf::EXECUTION_TIME,
            LockSlot::OPCODE => LockSlot::EXECUTION_TIME,
            Mac::OPCODE => Mac::EXECUTION_TIME,
            NonceFixed::OPCODE => NonceFixed::EXECUTION_TIME,
            PrivWriteEncrypted::OPCODE => PrivWriteEncrypted::EXECUTION_TIME,
            Random::OPCODE => Random::EXECUTION_TIME,
            Read::OPCODE => Read::EXECUTION_TIME,
            SecureBoot::OPCODE => SecureBoot::EXECUTION_TIME,
            SelfTest::OPCODE => SelfTest::EXECUTION_TIME,
            ShaStart::OPCODE => ShaStart::EXECUTION_TIME,
            SignExternal::OPCODE => SignExternal::EXECUTION_TIME,
            UpdateExtra::OPCODE => UpdateExtra::EXECUTION_TIME,
            VerifyExternal::OPCODE => VerifyExternal::EXECUTION_TIME,
            Write::OPCODE => Write::EXECUTION_TIME,
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
        AesEncrypt::OPCODE => AesEncrypt::NAME,
        CheckMac::OPCODE => CheckMac::NAME,
        CounterRead::OPCODE => CounterRead::NAME,
        DeriveKey::OPCODE => DeriveKey::NAME,
        Ecdh::OPCODE => Ecdh::NAME,
        GenDig::OPCODE => GenDig::NAME,
        GenKeyPublic::OPCODE => GenKeyPublic::NAME,
        InfoRevision::OPCODE => InfoRevision::NAME,
        Kdf::OPCODE => Kdf::NAME,
        LockSlot::OPCODE => LockSlot::NAME,
        Mac::OPCODE => Mac::NAME,
        NonceFixed::OPCODE => NonceFixed::NAME,
        PrivWriteEncrypted::OPCODE => PrivWriteEncrypted::NAME,
        Random::OPCODE => Random::NAME,
        Read::OPCODE => Read::NAME,
        SecureBoot::OPCODE => SecureBoot::NAME,
        SelfTest::OPCODE => SelfTest::NAME,
        ShaStart::OPCODE => ShaStart::NAME,
        SignExternal::OPCODE => SignExternal::NAME,
        UpdateExtra::OPCODE => UpdateExtra::NAME,
        VerifyExternal::OPCODE => VerifyExternal::NAME,
        Write::OPCODE => Write::NAME,
        _ => "unknown command",
    }
}

/// Length of the result's data in bytes of a command with this opcode and mode, for a packet that came from elsewhere.
/// Nothing where it depends on more, or is not needed often: then the longest is read.
pub(crate) const fn result_length(opcode: u8, mode: u8) -> Option<u8> {
    match (opcode, mode) {
        (CounterRead::OPCODE, _) | (InfoRevision::OPCODE, 0x00) => Some(4),
        (GenKeyPublic::OPCODE, 0x00 | 0x04 | 0x08) | (SignExternal::OPCODE, _) => Some(64),
        (NonceFixed::OPCODE, _) if mode & 0x03 == 0x03 => Some(1),
        (NonceFixed::OPCODE, 0x00 | 0x01) | (Random::OPCODE, _) => Some(32),
        // Bit 7 is for 32 bytes in place of 4.
        (Read::OPCODE, _) => Some(if mode & 0x80 == 0 { 4 } else { 32 }),
        _ => None,
    }
}

/// Whether a command with this opcode and mode may run twice with the same effect as once.
///
/// Everything that only reads, or only fills the volatile memory that the same transaction fills again, is
/// safe; whatever is not known to be safe is not. Commands with a symmetric key are not: each use may count
/// against a key of limited use. (A private key with LimitedUse in its SlotConfig is counted too; Trust&GO TLS
/// parts have none, and Sign stays repeatable.) SelfTest is not either: a test that failed must not be run
/// until it passes.
pub const fn is_repeatable(opcode: u8, mode: u8) -> bool {
    match opcode {
        NonceFixed::OPCODE | Random::OPCODE | Read::OPCODE | SignExternal::OPCODE => true,
        // Revision, KeyValid, State.
        InfoRevision::OPCODE => mode <= 0x02,
        // Bit 2 makes a new private key (section 5.2.2.1).
        GenKeyPublic::OPCODE => mode & 0x04 == 0,
        // Modes 3 and 7 change a stored key.
        VerifyExternal::OPCODE => matches!(mode & 0x07, 0x00 | 0x02),
        // Bits 3:2 say where the result goes; only in 0x08 and 0x0C it is not a slot.
        Ecdh::OPCODE => mode & 0x08 != 0,
        CounterRead::OPCODE => mode == 0x00,
        // Galois-field multiplication takes no key.
        AesGfm::OPCODE => mode & 0x07 == 0x03,
        // HMAC start takes a key.
        ShaStart::OPCODE => mode & 0x07 != 0x04,
        _ => false,
    }
}

/// The `N` data bytes of a successful answer.
pub(crate) fn data<const N: usize>(response: &Response) -> Result<[u8; N], ResponseError> {
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

/// The success or miscompare of a command that compares.
fn matched(response: &Response) -> Result<bool, ResponseError> {
    match success(response) {
        Ok(()) => Ok(true),
        Err(ResponseError::Status(Status::Miscompare)) => Ok(false),
        Err(error) => Err(error),
    }
}
