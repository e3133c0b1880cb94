//! P-256 keys that verify many signatures.
//!
//! A reel of chips has one log signer and few signers, so two keys verify nearly all signatures of a manifest.
//! Multiples of such a key, computed once, save the doublings of every later verification. The arithmetic is
//! that of `p256`. It takes a time that depends on its input, all of which is public.

use std::sync::{
    LazyLock, OnceLock,
    atomic::{AtomicU32, Ordering},
};

use p256::{
    AffinePoint, ProjectivePoint, Scalar,
    ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier},
    elliptic_curve::{BatchNormalize, Group, ops::Reduce, point::AffineCoordinates, sec1::FromSec1Point},
};
use sha2::{Digest, Sha256};

/// A table costs as much as this many verifications without it.
const WORTH_A_TABLE: u32 = 32;
/// More keys than this get no table; each table has about 590 kB. It is enough for 100,000 chips, if each signer has
/// the 3,000 of a reel.
const MAX_TABLES: u32 = 40;

static TABLES: AtomicU32 = AtomicU32::new(0);
static GENERATOR: LazyLock<Table> = LazyLock::new(|| Table::new(ProjectivePoint::GENERATOR));

/// A public key on the curve P-256.
#[derive(Debug)]
pub(super) struct Key {
    key: VerifyingKey,
    uses: AtomicU32,
    table: OnceLock<Option<Table>>,
}

impl Key {
    /// The key with these coordinates, X then Y, if it is one.
    pub(super) fn new(coordinates: &[u8; 64]) -> Option<Self> {
        Some(Self { key: parse(coordinates)?, uses: AtomicU32::new(0), table: OnceLock::new() })
    }

    /// Whether `signature` was made over the SHA-256 of `message` with this key.
    pub(super) fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        let digest: [u8; 32] = Sha256::digest(message).into();
        match self.table() {
            Some(table) => table.verifies(&digest, signature),
            None => self.key.verify_prehash(&digest, signature).is_ok(),
        }
    }

    /// The table, once it pays.
    fn table(&self) -> Option<&Table> {
        if let Some(table) = self.table.get() {
            return table.as_ref();
        }
        if self.uses.fetch_add(1, Ordering::Relaxed) < WORTH_A_TABLE {
            return None;
        }
        let make = || {
            (TABLES.fetch_add(1, Ordering::Relaxed) < MAX_TABLES)
                .then(|| Table::new(ProjectivePoint::from(*self.key.as_affine())))
        };
        self.table.get_or_init(make).as_ref()
    }
}

/// Whether X and Y are a point of the curve.
pub(super) fn is_key(coordinates: &[u8; 64]) -> bool {
    parse(coordinates).is_some()
}

fn parse(coordinates: &[u8; 64]) -> Option<VerifyingKey> {
    let mut point = [0x04; 65];
    point[1..].copy_from_slice(coordinates);
    let point = p256::Sec1Point::from_bytes(point).ok()?;
    let key: Option<p256::PublicKey> = p256::PublicKey::from_sec1_point(&point).into();
    key.map(VerifyingKey::from)
}

/// 255 multiples of a point for each byte of a scalar: `rows[i][b - 1]` is b 256^i P.
#[derive(Debug)]
struct Table {
    rows: Vec<Vec<AffinePoint>>,
}

impl Table {
    fn new(point: ProjectivePoint) -> Self {
        let mut base = point;
        let row = |_| {
            let mut multiple = ProjectivePoint::IDENTITY;
            let multiples: Vec<ProjectivePoint> = (1..=255)
                .map(|_| {
                    multiple += base;
                    multiple
                })
                .collect();
            base += multiple;
            <ProjectivePoint as BatchNormalize<[ProjectivePoint]>>::batch_normalize(&multiples)
        };
        Self { rows: (0..32).map(row).collect() }
    }

    /// Adds `scalar` times the point to `sum`.
    fn add_multiple(&self, scalar: &Scalar, mut sum: ProjectivePoint) -> ProjectivePoint {
        // The scalar comes with its highest byte first.
        for (byte, row) in scalar.to_bytes().iter().rev().zip(&self.rows) {
            if let Some(multiple) = usize::from(*byte).checked_sub(1).and_then(|index| row.get(index)) {
                sum += multiple;
            }
        }
        sum
    }

    /// Section 6.4.2 of FIPS 186-5.
    fn verifies(&self, digest: &[u8; 32], signature: &Signature) -> bool {
        // Both are between 1 and n - 1; `Signature` has no others.
        let (r, s) = signature.split_scalars();
        let e = <Scalar as Reduce<p256::FieldBytes>>::reduce(&(*digest).into());
        let Some(inverse) = Option::<Scalar>::from(s.as_ref().invert_vartime()) else { return false };
        let u = e * inverse;
        let v = *r.as_ref() * inverse;
        let point = self.add_multiple(&v, GENERATOR.add_multiple(&u, ProjectivePoint::IDENTITY));
        if bool::from(point.is_identity()) {
            return false;
        }
        <Scalar as Reduce<p256::FieldBytes>>::reduce(&point.to_affine().x()) == *r.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::{SigningKey, signature::hazmat::PrehashSigner};

    use super::*;

    fn signing_key(seed: u8) -> SigningKey {
        SigningKey::from_slice(&[seed; 32]).unwrap()
    }

    #[test]
    fn a_table_agrees_with_the_library() {
        for seed in 1..=4 {
            let key = signing_key(seed);
            let verifying = VerifyingKey::from(&key);
            let table = Table::new(ProjectivePoint::from(*verifying.as_affine()));
            for message in 0..50_u8 {
                let mut digest: [u8; 32] = Sha256::digest([seed, message]).into();
                if message < 3 {
                    // Digests that are 0, or not smaller than the order of the group.
                    digest = [[0x00; 32], [0xff; 32], [0x80; 32]][usize::from(message)];
                }
                let signature: Signature = key.sign_prehash(&digest).unwrap();
                assert!(verifying.verify_prehash(&digest, &signature).is_ok());
                assert!(table.verifies(&digest, &signature));
                for bit in 0..64 * 8 {
                    let mut bytes = signature.to_bytes();
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    let Ok(wrong) = Signature::from_slice(&bytes) else { continue };
                    assert!(!table.verifies(&digest, &wrong));
                    if message > 1 {
                        break;
                    }
                }
                digest[31] ^= 1;
                assert!(!table.verifies(&digest, &signature));
                assert!(!GENERATOR.verifies(&digest, &signature));
            }
        }
    }

    /// With the key G, R = S and a digest of 0, u is 0; with the digest -R it is the identity that comes out.
    #[test]
    fn sums_at_the_edge() {
        let one = Scalar::ONE;
        let r = Scalar::from(5_u64);
        let signature = Signature::from_scalars(r, r).unwrap();
        let verifying = VerifyingKey::from(&SigningKey::from_slice(&one.to_bytes()).unwrap());
        for digest in [Scalar::ZERO, -r, one, -one] {
            let digest: [u8; 32] = digest.to_bytes().into();
            let expected = verifying.verify_prehash(&digest, &signature).is_ok();
            assert_eq!(GENERATOR.verifies(&digest, &signature), expected);
        }
    }

    #[test]
    fn a_key_verifies_before_and_after_it_has_a_table() {
        let signing = signing_key(9);
        let point = VerifyingKey::from(&signing).to_sec1_point(false);
        let key = Key::new(point.as_bytes()[1..].try_into().unwrap()).unwrap();
        for message in 0..2 * WORTH_A_TABLE {
            let message = message.to_be_bytes();
            let signature: Signature = signing.sign_prehash(&Sha256::digest(message)).unwrap();
            assert!(key.verifies(&message, &signature));
            assert!(!key.verifies(b"another", &signature));
        }
        assert!(key.table.get().is_some_and(Option::is_some));
    }

    #[test]
    fn a_point_beside_the_curve_is_no_key() {
        assert!(!is_key(&[0x5a; 64]));
        assert!(Key::new(&[0; 64]).is_none());
    }
}
