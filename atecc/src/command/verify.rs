//! Verify (section 5.2.4).

use super::{Command, DigestSource, ExecutionTime, success};
use crate::{
    PublicKey, ResponseError, Signature, Status,
    packet::{Packet, Response},
};

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

/// KeyID of the only curve, P-256 (table 5-51).
const P256: u16 = 0x0004;

impl Command for VerifyExternal<'_> {
    const NAME: &'static str = "Verify";
    const OPCODE: u8 = 0x45;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 70_000, longest_ms: [105, 295, 1085] };
    /// Whether the signature fits.
    type Output = bool;

    fn packet(&self) -> Packet {
        let mode = 0x02 | self.source.mode_bit();
        Packet::new(Self::OPCODE, mode, P256, &[self.signature.as_bytes(), self.public_key.as_bytes()], 1)
    }

    fn output(&self, response: &Response) -> Result<bool, ResponseError> {
        match success(response) {
            Ok(()) => Ok(true),
            Err(ResponseError::Status(Status::Miscompare)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
