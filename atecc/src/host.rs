//! What the host computes to speak with the chip under a key that both know, one formula a file.
//!
//! The formulas come out of the data sheet's tables; for what those of the pre-configured parts leave out, out
//! of what the vendor documents for the family.

pub mod attestation;
pub mod derive_key;
pub mod mac;
pub mod nonce;
pub mod output;
pub mod secure_boot;
pub mod session;
pub mod verify;
pub mod write;

use sha2::{Digest as _, Sha256};

use crate::{Digest, Secret, SerialNumber};

/// The value that TempKey has, known to the host as well (section 3.1).
#[derive(Debug)]
pub struct TempKey(Secret<32>);

impl TempKey {
    /// The lower 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    const fn new(value: Digest) -> Self {
        Self(Secret::from_bytes(value))
    }
}

/// SHA-256 over the concatenation of `parts`.
fn sha256(parts: &[&[u8]]) -> Digest {
    parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize().into()
}

/// `left` XOR `right`.
fn xor<const N: usize>(left: &[u8; N], right: &[u8]) -> [u8; N] {
    let mut result = *left;
    for (result, right) in result.iter_mut().zip(right) {
        *result ^= right;
    }
    result
}

/// Whether two MACs are equal, in a time that does not tell where they differ.
pub fn is_equal(left: &[u8; 32], right: &[u8; 32]) -> bool {
    let difference = left.iter().zip(right).fold(0, |difference, (left, right)| difference | (left ^ right));
    core::hint::black_box(difference) == 0
}

/// SN\[8\], SN\[0:1\]: what most formulas take of the serial number.
fn short_serial(serial: &SerialNumber) -> [u8; 3] {
    let [sn_0, sn_1, .., sn_8] = *serial.as_bytes();
    [sn_8, sn_0, sn_1]
}

/// SN\[4:7\] and SN\[2:3\]: what "diversified" formulas take beside.
fn long_serial(serial: &SerialNumber) -> ([u8; 4], [u8; 2]) {
    let [_, _, sn_2, sn_3, sn_4, sn_5, sn_6, sn_7, _] = *serial.as_bytes();
    ([sn_4, sn_5, sn_6, sn_7], [sn_2, sn_3])
}

#[cfg(test)]
mod tests;
