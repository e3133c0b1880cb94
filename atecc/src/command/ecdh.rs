//! ECDH (section 5.2.1). Longest times: 75, 172 and 531 ms at M0, M1 and M2.

use super::{Command, ExecutionTime, data, success};
use crate::{
    PublicKey, ResponseError, Secret, Slot,
    host::output::Protected,
    irreversible::{Irreversible, OverwritesKey},
    packet::{Packet, Response},
};

const OPCODE: u8 = 0x43;
const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 40_000, longest_ms: [75, 172, 531] };

/// Where the private key is: bit 0 of the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EcdhKey {
    /// In a slot whose SlotConfig allows ECDH (section 5.2.1.1).
    Slot(Slot),
    /// In TempKey, where GenKey has put it in the same transaction (section 5.2.1.2).
    TempKey,
}

impl EcdhKey {
    /// The mode with the result's destination in it, and KeyID.
    fn parameters(self, destination: u8) -> (u8, u16) {
        match self {
            Self::Slot(slot) => (destination, u16::from(slot.number())),
            Self::TempKey => (destination | 0x01, 0x0000),
        }
    }
}

/// ECDH with the result in clear text (0x0C, 0x0D).
#[derive(Clone, Copy, Debug)]
pub struct Ecdh<'a> {
    /// The private key.
    pub key: EcdhKey,
    /// The other side's public key.
    pub peer: &'a PublicKey,
}

/// ECDH with the result encrypted under the IO protection key (0x0E, 0x0F).
#[derive(Clone, Copy, Debug)]
pub struct EcdhProtected<'a> {
    /// The private key.
    pub key: EcdhKey,
    /// The other side's public key.
    pub peer: &'a PublicKey,
}

/// ECDH with the result in TempKey (0x08, 0x09), for KDF or AES in the same transaction.
#[derive(Clone, Copy, Debug)]
pub struct EcdhToTempKey<'a> {
    /// The private key.
    pub key: EcdhKey,
    /// The other side's public key.
    pub peer: &'a PublicKey,
}

/// ECDH with the private key in TempKey and the result in a slot (0x05, table 5-37).
#[derive(Debug)]
pub struct EcdhToSlot<'a> {
    /// The slot that receives the shared secret.
    pub target: Slot,
    /// The other side's public key.
    pub peer: &'a PublicKey,
    /// Consent.
    pub consent: Irreversible<OverwritesKey>,
}

impl Command for Ecdh<'_> {
    const NAME: &'static str = "ECDH";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    /// The shared secret: the X coordinate, 32 bytes, big-endian.
    type Output = Secret<32>;

    fn packet(&self) -> Packet {
        let (mode, key_id) = self.key.parameters(0x0c);
        Packet::new(OPCODE, mode, key_id, &[self.peer.as_bytes()], 32)
    }

    fn output(&self, response: &Response) -> Result<Secret<32>, ResponseError> {
        data(response).map(Secret::from_bytes)
    }
}

impl Command for EcdhProtected<'_> {
    const NAME: &'static str = "ECDH";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    /// The shared secret, to be opened with the IO protection key.
    type Output = Protected<32>;

    fn packet(&self) -> Packet {
        let (mode, key_id) = self.key.parameters(0x0e);
        Packet::new(OPCODE, mode, key_id, &[self.peer.as_bytes()], 64)
    }

    fn output(&self, response: &Response) -> Result<Protected<32>, ResponseError> {
        Protected::from_response(response)
    }
}

impl Command for EcdhToTempKey<'_> {
    const NAME: &'static str = "ECDH";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = ();

    fn packet(&self) -> Packet {
        let (mode, key_id) = self.key.parameters(0x08);
        Packet::new(OPCODE, mode, key_id, &[self.peer.as_bytes()], 1)
    }

    fn output(&self, response: &Response) -> Result<(), ResponseError> {
        success(response)
    }
}

impl Command for EcdhToSlot<'_> {
    const NAME: &'static str = "ECDH";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = ();

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, 0x05, u16::from(self.target.number()), &[self.peer.as_bytes()], 1)
    }

    fn output(&self, response: &Response) -> Result<(), ResponseError> {
        success(response)
    }
}
