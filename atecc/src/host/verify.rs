//! The MAC of Verify (section 5.2.4, tables 5-53 and 5-56).

use super::sha256;
use crate::{
    Digest, Secret,
    command::{Command, VerifyWithMac},
};

/// What the chip answers to `command` if the signature over `digest` fits; `nonce` is the caller's.
pub fn mac(
    command: &VerifyWithMac<'_>,
    io_protection_key: &Secret<32>,
    digest: &Digest,
    nonce: &[u8; 32],
) -> Digest {
    let (mode, key_id) = command.parameters();
    let [low, high] = key_id.to_le_bytes();
    let parameters = [VerifyWithMac::OPCODE, mode, low, high];
    sha256(&[io_protection_key.as_bytes(), digest, nonce, command.signature.as_bytes(), &parameters])
}
