//! Verify (section 5.2.4). Longest times: 105, 295 and 1085 ms at M0, M1 and M2.

use super::{Command, DigestSource, ExecutionTime, data, matched};
use crate::{
    PublicKey, ResponseError, Signature, Slot, Status,
    irreversible::{ChangesValidity, Irreversible},
    packet::{Packet, Response},
};

const OPCODE: u8 = 0x45;
const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 70_000, longest_ms: [105, 295, 1085] };
/// KeyID of the only curve, P-256 (table 5-51).
const P256: u16 = 0x0004;
/// Bit 7 of the mode: a MAC comes back.
const MAC: u8 = 0x80;

/// Verify with an external public key: ECDSA over a digest that Nonce has loaded before (section 5.2.4.1).
#[derive(Clone, Copy, Debug)]
pub struct VerifyExternal<'a> {
    /// Where the digest lies.
    pub source: DigestSource,
    /// The signature to check.
    pub signature: &'a Signature,
    /// The key it should be of.
    pub public_key: &'a PublicKey,
}

/// Verify with a public key that a slot stores (section 5.2.4.2).
#[derive(Clone, Copy, Debug)]
pub struct VerifyStored<'a> {
    /// Where the digest lies.
    pub source: DigestSource,
    /// The signature to check.
    pub signature: &'a Signature,
    /// A slot with the public key it should be of.
    pub key: Slot,
}

/// Verify with a MAC in place of the plain answer, which nobody between chip and host can forge
/// (tables 5-53 and 5-56). The Message Digest Buffer holds the digest and then the caller's nonce.
///
/// For a key from outside with a MAC, table 5-51 swaps the modes of the two sources against all its sisters;
/// here bit 5 is the Message Digest Buffer, as it is everywhere else.
#[derive(Clone, Copy, Debug)]
pub struct VerifyWithMac<'a> {
    /// The signature to check.
    pub signature: &'a Signature,
    /// The key it should be of.
    pub key: VerifyKey<'a>,
}

/// The public key of a Verify.
#[derive(Clone, Copy, Debug)]
pub enum VerifyKey<'a> {
    /// From outside.
    External(&'a PublicKey),
    /// In a slot.
    Stored(Slot),
}

/// Verify in validate (0x03) or invalidate (0x07) mode: makes a stored public key usable, or useless
/// (TFLXTLS, DS40002138A, section 5.2.5.3). TempKey holds the digest of the key, from GenKey.
#[derive(Debug)]
pub struct VerifyValidity<'a> {
    /// The slot of the key.
    pub key: Slot,
    /// What the key becomes.
    pub validity: Validity,
    /// The authority's signature over the internal message.
    pub signature: &'a Signature,
    /// What the authority signed beside: see [`crate::host::attestation`].
    pub other_data: &'a [u8; 19],
    /// Consent.
    pub consent: Irreversible<ChangesValidity>,
}

/// What a stored public key becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Usable.
    Valid,
    /// Useless, and free to be written.
    Invalid,
}

impl VerifyWithMac<'_> {
    /// The mode and KeyID as they go over the wire and into the MAC.
    pub(crate) fn parameters(&self) -> (u8, u16) {
        let source = DigestSource::MessageDigestBuffer.mode_bit();
        match self.key {
            VerifyKey::External(_) => (0x02 | source | MAC, P256),
            VerifyKey::Stored(slot) => (source | MAC, u16::from(slot.number())),
        }
    }
}

impl Command for VerifyExternal<'_> {
    const NAME: &'static str = "Verify";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    /// Whether the signature fits.
    type Output = bool;

    fn packet(&self) -> Packet {
        let mode = 0x02 | self.source.mode_bit();
        Packet::new(Self::OPCODE, mode, P256, &[self.signature.as_bytes(), self.public_key.as_bytes()], 1)
    }

    fn output(&self, response: &Response) -> Result<bool, ResponseError> {
        matched(response)
    }
}

impl Command for VerifyStored<'_> {
    const NAME: &'static str = "Verify";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    /// Whether the signature fits.
    type Output = bool;

    fn packet(&self) -> Packet {
        let key = u16::from(self.key.number());
        Packet::new(OPCODE, self.source.mode_bit(), key, &[self.signature.as_bytes()], 1)
    }

    fn output(&self, response: &Response) -> Result<bool, ResponseError> {
        matched(response)
    }
}

impl Command for VerifyWithMac<'_> {
    const NAME: &'static str = "Verify";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    /// The MAC, if the signature fits.
    type Output = Option<[u8; 32]>;

    fn packet(&self) -> Packet {
        let (mode, key_id) = self.parameters();
        let key: &[u8] = match &self.key {
            VerifyKey::External(key) => key.as_bytes(),
            VerifyKey::Stored(_) => &[],
        };
        Packet::new(OPCODE, mode, key_id, &[self.signature.as_bytes(), key], 32)
    }

    fn output(&self, response: &Response) -> Result<Option<[u8; 32]>, ResponseError> {
        match data(response) {
            Ok(mac) => Ok(Some(mac)),
            Err(ResponseError::Status(Status::Miscompare)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Command for VerifyValidity<'_> {
    const NAME: &'static str = "Verify";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    /// Whether the signature fits, and so the validity has changed.
    type Output = bool;

    fn packet(&self) -> Packet {
        let mode = match self.validity {
            Validity::Valid => 0x03,
            Validity::Invalid => 0x07,
        };
        let key = u16::from(self.key.number());
        Packet::new(OPCODE, mode, key, &[self.signature.as_bytes(), self.other_data], 1)
    }

    fn output(&self, response: &Response) -> Result<bool, ResponseError> {
        matched(response)
    }
}
