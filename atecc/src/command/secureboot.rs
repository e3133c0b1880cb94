//! SecureBoot (TFLXTLS, DS40002138A, section 5.2.3). Longest times: 80, 160 and 480 ms at M0, M1 and M2.

use super::{Command, ExecutionTime, data, matched};
use crate::{
    Digest, ResponseError, Signature, Status,
    irreversible::{Irreversible, OverwritesData},
    packet::{Packet, Response},
};

const OPCODE: u8 = 0x80;
const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 50_000, longest_ms: [80, 160, 480] };
/// Bit 7 of the mode: the digest is encrypted, and a MAC comes back.
const PROTECTED: u8 = 0x80;

/// SecureBoot in clear text: whether the code with this digest may run.
#[derive(Debug)]
pub struct SecureBoot<'a> {
    /// What the digest is checked with.
    pub check: SecureBootCheck<'a>,
    /// SHA-256 of the code.
    pub digest: &'a Digest,
}

/// SecureBoot with an encrypted digest and a MAC in place of the plain answer. TempKey holds the nonce.
#[derive(Debug)]
pub struct SecureBootProtected<'a> {
    /// What the digest is checked with.
    pub check: &'a SecureBootCheck<'a>,
    /// The digest, encrypted: see [`crate::host::secure_boot`].
    pub encrypted_digest: &'a Digest,
}

/// What the digest of the code is checked with: bits 2:0 of the mode.
#[derive(Debug)]
pub enum SecureBootCheck<'a> {
    /// 0x05: the signature and the public key that the chip stores.
    Full(&'a Signature),
    /// 0x06: the digest or signature that the chip has stored before (section 5.2.3.2).
    Stored,
    /// 0x07: as [`Full`](Self::Full); then the digest or signature is stored (section 5.2.3.1).
    FullCopy(&'a Signature, Irreversible<OverwritesData>),
}

impl SecureBootCheck<'_> {
    pub(crate) const fn mode(&self) -> u8 {
        match self {
            Self::Full(_) => 0x05,
            Self::Stored => 0x06,
            Self::FullCopy(..) => 0x07,
        }
    }

    /// The signature, if there is one.
    pub(crate) const fn signature(&self) -> Option<&Signature> {
        match self {
            Self::Full(signature) | Self::FullCopy(signature, _) => Some(signature),
            Self::Stored => None,
        }
    }

    fn packet(&self, flags: u8, digest: &Digest, response_data: u8) -> Packet {
        let signature: &[u8] = self.signature().map_or(&[], |signature| signature.as_bytes());
        Packet::new(OPCODE, self.mode() | flags, 0x0000, &[digest, signature], response_data)
    }
}

impl SecureBootProtected<'_> {
    /// The mode as it goes over the wire and into the MAC.
    pub(crate) const fn mode(&self) -> u8 {
        self.check.mode() | PROTECTED
    }
}

impl Command for SecureBoot<'_> {
    const NAME: &'static str = "SecureBoot";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    /// Whether the check succeeded.
    type Output = bool;

    fn packet(&self) -> Packet {
        self.check.packet(0x00, self.digest, 1)
    }

    fn output(&self, response: &Response) -> Result<bool, ResponseError> {
        matched(response)
    }
}

impl Command for SecureBootProtected<'_> {
    const NAME: &'static str = "SecureBoot";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    /// The MAC, if the check succeeded.
    type Output = Option<[u8; 32]>;

    fn packet(&self) -> Packet {
        self.check.packet(PROTECTED, self.encrypted_digest, 32)
    }

    fn output(&self, response: &Response) -> Result<Option<[u8; 32]>, ResponseError> {
        match data(response) {
            Ok(mac) => Ok(Some(mac)),
            Err(ResponseError::Status(Status::Miscompare)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
