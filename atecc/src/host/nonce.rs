//! Nonce in random mode (section 5.1.4.1, table 5-15).

use super::{TempKey, sha256};
use crate::command::{Command, NonceRandom};

/// TempKey after `nonce`, to which the chip answered `random_number`.
pub fn random(nonce: &NonceRandom<'_>, random_number: &[u8; 32]) -> TempKey {
    // The opcode, the mode, and the low byte of Param2.
    TempKey::new(sha256(&[random_number, nonce.input, &[NonceRandom::OPCODE, 0x00, 0x00]]))
}
