//! SecureBoot with encrypted digest and MAC (TFLXTLS, DS40002138A, sections 5.2.3.1 and 5.2.3.2).

use super::{TempKey, sha256, xor};
use crate::{
    Digest, Secret, Signature,
    command::{Command, SecureBootProtected},
};

/// The key of one protected SecureBoot.
#[derive(Debug)]
pub struct SecureBootKey(Secret<32>);

impl SecureBootKey {
    /// The key for the nonce in `temp_key`.
    pub fn new(io_protection_key: &Secret<32>, temp_key: &TempKey) -> Self {
        Self(Secret::from_bytes(sha256(&[io_protection_key.as_bytes(), temp_key.as_bytes()])))
    }

    /// `digest` as the command carries it.
    pub fn encrypt(&self, digest: &Digest) -> Digest {
        xor(digest, self.0.as_bytes())
    }

    /// What the chip answers to `command` if it finds `digest` good. With a stored signature (SecureBoot mode
    /// FullSig in the configuration zone) that signature is hashed too: `stored` gives it.
    pub fn mac(
        &self,
        command: &SecureBootProtected<'_>,
        digest: &Digest,
        stored: Option<&Signature>,
    ) -> Digest {
        let signature: &[u8] =
            command.check.signature().or(stored).map_or(&[], |signature| signature.as_bytes());
        let parameters = [SecureBootProtected::OPCODE, command.mode(), 0x00, 0x00];
        sha256(&[self.0.as_bytes(), digest, signature, &parameters])
    }
}
