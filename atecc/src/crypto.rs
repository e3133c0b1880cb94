//! P-256 values in the chip's own format (sections 4.5.1 and 4.5.2): big-endian, without DER or prefix.

use core::fmt;

use p256::{
    ecdsa::{VerifyingKey, signature::hazmat::PrehashVerifier},
    elliptic_curve::sec1::FromSec1Point,
};

use crate::certificate::der::{SEQUENCE, Writer};

/// Header, and R and S with theirs and a zero byte in front.
const MAX_DER_SIGNATURE: usize = 2 + 2 * (2 + 33);

/// A SHA-256 sized message digest, 32 bytes.
pub type Digest = [u8; 32];

/// A P-256 public key: X then Y, 32 bytes each, big-endian.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 64]);

impl PublicKey {
    /// The key with coordinates X and Y. Whether the point is on the curve shows when the key is used.
    pub const fn from_bytes(coordinates: [u8; 64]) -> Self {
        Self(coordinates)
    }

    /// X and Y, 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// The uncompressed point of SEC 1: 0x04, X, Y. 65 bytes.
    pub fn to_sec1(&self) -> [u8; 65] {
        let mut point = [0x04; 65];
        point[1..].copy_from_slice(&self.0);
        point
    }

    /// Whether `signature` was made over `digest` with this key. A point outside of the curve verifies nothing.
    pub fn verify(&self, digest: &Digest, signature: &Signature) -> bool {
        let key = p256::Sec1Point::from_bytes(self.to_sec1())
            .ok()
            .and_then(|point| Option::from(p256::PublicKey::from_sec1_point(&point)))
            .map(|key: p256::PublicKey| VerifyingKey::from(key));
        let signature = p256::ecdsa::Signature::from_slice(&signature.0);
        matches!((key, signature), (Some(key), Ok(signature)) if key.verify_prehash(digest, &signature).is_ok())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        hex(&self.0, f)?;
        f.write_str(")")
    }
}

/// An ECDSA signature: R then S, 32 bytes each, big-endian.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// The signature R, S.
    pub const fn from_bytes(r_s: [u8; 64]) -> Self {
        Self(r_s)
    }

    /// R and S, 64 bytes; the format of CKM_ECDSA (PKCS#11 3.0, section 2.3.1).
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// ECDSA-Sig-Value in DER (RFC 3279, section 2.2.3), at most 72 bytes: the form of TLS and X.509.
    pub fn to_der(&self) -> heapless::Vec<u8, MAX_DER_SIGNATURE> {
        let mut writer = Writer::default();
        writer.nest(SEQUENCE, |values| {
            values.unsigned(self.r());
            values.unsigned(self.s());
        });
        // Two integers of 33 bytes with their headers fit.
        writer.finish().unwrap_or_default()
    }

    /// R, 32 bytes.
    pub fn r(&self) -> &[u8] {
        &self.0[..32]
    }

    /// S, 32 bytes.
    pub fn s(&self) -> &[u8] {
        &self.0[32..]
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(")?;
        hex(&self.0, f)?;
        f.write_str(")")
    }
}

/// Writes `bytes` as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
