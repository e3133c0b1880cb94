//! GenKey (section 5.2.2). Longest times: 115, 215 and 653 ms at M0, M1 and M2.

use super::{Command, ExecutionTime, data, success};
use crate::{
    PublicKey, ResponseError, Slot,
    irreversible::{Irreversible, OverwritesKey},
    packet::{Packet, Response},
};

const OPCODE: u8 = 0x40;
const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 50_000, longest_ms: [115, 215, 653] };

/// GenKey in public mode (0x00): the public key of the private key in a slot (section 5.2.2.3). Changes
/// nothing.
#[derive(Clone, Copy, Debug)]
pub struct GenKeyPublic {
    /// A slot with a private key whose KeyConfig lets its public key out.
    pub key: Slot,
}

/// GenKey in public mode with digest (0x08): the public key, and its digest in TempKey for Sign of an internal
/// message (section 5.2.2.3). TempKey must be valid before.
#[derive(Clone, Copy, Debug)]
pub struct GenKeyPublicDigest {
    /// A slot with a private key whose KeyConfig lets its public key out.
    pub key: Slot,
}

/// GenKey in private mode (0x04): a new private key in a slot (section 5.2.2.1).
#[derive(Debug)]
pub struct GenKeyPrivate {
    /// A slot for private keys that may be written by GenKey.
    pub key: Slot,
    /// Consent.
    pub consent: Irreversible<OverwritesKey>,
}

/// GenKey in private mode into TempKey (0x04 with KeyID 0xFFFF): a key for one ECDH in the same transaction
/// (section 5.2.2.2).
#[derive(Clone, Copy, Debug)]
pub struct GenKeyEphemeral;

/// GenKey in digest mode (0x10): the digest of the public key that a slot stores, in TempKey (section 5.2.2.4).
#[derive(Clone, Copy, Debug)]
pub struct GenKeyStoredDigest<'a> {
    /// A slot with a public key, 8 or higher.
    pub key: Slot,
    /// Hashed in place of mode and KeyID.
    pub other_data: &'a [u8; 3],
}

impl Command for GenKeyPublic {
    const NAME: &'static str = "GenKey";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = PublicKey;

    fn packet(&self) -> Packet {
        Packet::new(Self::OPCODE, 0x00, u16::from(self.key.number()), &[], 64)
    }

    fn output(&self, response: &Response) -> Result<PublicKey, ResponseError> {
        data(response).map(PublicKey::from_bytes)
    }
}

impl Command for GenKeyPublicDigest {
    const NAME: &'static str = "GenKey";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = PublicKey;

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, 0x08, u16::from(self.key.number()), &[], 64)
    }

    fn output(&self, response: &Response) -> Result<PublicKey, ResponseError> {
        data(response).map(PublicKey::from_bytes)
    }
}

impl Command for GenKeyPrivate {
    const NAME: &'static str = "GenKey";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    /// The public key of the new key.
    type Output = PublicKey;

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, 0x04, u16::from(self.key.number()), &[], 64)
    }

    fn output(&self, response: &Response) -> Result<PublicKey, ResponseError> {
        data(response).map(PublicKey::from_bytes)
    }
}

impl Command for GenKeyEphemeral {
    const NAME: &'static str = "GenKey";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = PublicKey;

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, 0x04, 0xffff, &[&[0; 3]], 64)
    }

    fn output(&self, response: &Response) -> Result<PublicKey, ResponseError> {
        data(response).map(PublicKey::from_bytes)
    }
}

impl Command for GenKeyStoredDigest<'_> {
    const NAME: &'static str = "GenKey";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = ();

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, 0x10, u16::from(self.key.number()), &[self.other_data], 1)
    }

    fn output(&self, response: &Response) -> Result<(), ResponseError> {
        success(response)
    }
}
