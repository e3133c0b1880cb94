//! P-256 keys that verify many signatures.
//!
//! A reel of chips has one log signer and few signers, so two keys verify nearly all signatures of a manifest.
//! Multiples of such a key, computed once, save the doublings of every later verification; and many
//! verifications at once share the inversions that points in affine form need. The arithmetic is that of
//! `p256`, which also decides where a sum has no such form. It takes a time that depends on its input, all of
//! which is public.

mod sums;
mod table;

use std::sync::{
    Arc, LazyLock, OnceLock,
    atomic::{AtomicU32, Ordering},
};

use p256::{
    ProjectivePoint, Scalar,
    ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier},
    elliptic_curve::{ff::BatchInverter, ops::Reduce, sec1::FromSec1Point},
};
use sha2::{Digest, Sha256};
use sums::Sums;
use table::Table;

/// A table costs as much as this many verifications without it.
const WORTH_A_TABLE: u32 = 32;
/// More keys than this get no table ([`table`] says how large one is). It is enough for 100,000 chips, if each
/// signer has the 3,000 of a reel.
const MAX_TABLES: u32 = 40;
/// So many signatures are verified at once. Their points fit in a core's cache.
const AT_ONCE: usize = 64;

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
    pub(super) fn new(coordinates: &[u8; 64]) -> Option<Arc<Self>> {
        let key = parse(coordinates)?;
        Some(Arc::new(Self { key, uses: AtomicU32::new(0), table: OnceLock::new() }))
    }

    /// The claim that `signature` was made over the SHA-256 of `message` with this key.
    pub(super) fn claim(self: &Arc<Self>, message: &[&[u8]], signature: Signature) -> Claim {
        let mut hash = Sha256::new();
        message.iter().for_each(|part| hash.update(part));
        Claim { key: Arc::clone(self), digest: hash.finalize().into(), signature }
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

/// A signature, what it should be over, and whose it should be.
#[derive(Debug)]
pub(super) struct Claim {
    key: Arc<Key>,
    digest: [u8; 32],
    signature: Signature,
}

impl Claim {
    /// Whether it is true, found out alone.
    pub(super) fn holds(&self) -> bool {
        self.key.key.verify_prehash(&self.digest, &self.signature).is_ok()
    }
}

/// Of each claim whether it is true.
pub(super) fn verify(claims: &[Claim]) -> Vec<bool> {
    claims.chunks(AT_ONCE).flat_map(verify_at_once).collect()
}

/// Section 6.4.2 of FIPS 186-5.
fn verify_at_once(claims: &[Claim]) -> Vec<bool> {
    // R and S are between 1 and n - 1; `Signature` has no others.
    let mut inverses: Vec<Scalar> = claims.iter().map(|claim| *claim.signature.s().as_ref()).collect();
    BatchInverter::invert_with_external_scratch(&mut inverses, &mut vec![Scalar::ZERO; claims.len()]);
    let mut sums = Sums::default();
    for (claim, inverse) in claims.iter().zip(&inverses) {
        let table = claim.key.table();
        sums.add(|points| {
            let Some(table) = table else { return };
            let e = <Scalar as Reduce<p256::FieldBytes>>::reduce(&claim.digest.into());
            GENERATOR.multiples(&(e * inverse), points);
            table.multiples(&(*claim.signature.r().as_ref() * inverse), points);
        });
    }
    let verdict = |(claim, x): (&Claim, Option<p256::FieldBytes>)| match x {
        Some(x) => <Scalar as Reduce<p256::FieldBytes>>::reduce(&x) == *claim.signature.r().as_ref(),
        // No table, or a sum that the formula for affine points does not give.
        None => claim.holds(),
    };
    claims.iter().zip(sums.abscissas()).map(verdict).collect()
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

#[cfg(test)]
mod tests {
    use p256::ecdsa::{SigningKey, signature::hazmat::PrehashSigner};

    use super::*;

    fn signing_key(seed: u8) -> SigningKey {
        SigningKey::from_slice(&[seed; 32]).unwrap()
    }

    /// The public key, with a table from the first claim on.
    fn key(signing: &SigningKey) -> Arc<Key> {
        let point = VerifyingKey::from(signing).to_sec1_point(false);
        let key = Key::new(point.as_bytes()[1..].try_into().unwrap()).unwrap();
        key.table.set(Some(Table::new(ProjectivePoint::from(*key.key.as_affine())))).unwrap();
        key
    }

    #[test]
    fn tables_agree_with_the_library() {
        let mut claims = Vec::new();
        for seed in 1..=3 {
            let signing = signing_key(seed);
            let key = key(&signing);
            for message in 0..50_u8 {
                let mut digest: [u8; 32] = Sha256::digest([seed, message]).into();
                if message < 3 {
                    // Digests that are 0, or not smaller than the order of the group.
                    digest = [[0x00; 32], [0xff; 32], [0x80; 32]][usize::from(message)];
                }
                let signature: Signature = signing.sign_prehash(&digest).unwrap();
                let claim = |digest, signature| Claim { key: Arc::clone(&key), digest, signature };
                claims.push((claim(digest, signature), true));
                for bit in 0..64 * 8 {
                    let mut bytes = signature.to_bytes();
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    let Ok(wrong) = Signature::from_slice(&bytes) else { continue };
                    claims.push((claim(digest, wrong), false));
                    if message > 1 {
                        break;
                    }
                }
                digest[31] ^= 1;
                claims.push((claim(digest, signature), false));
            }
        }
        let (claims, expected): (Vec<Claim>, Vec<bool>) = claims.into_iter().unzip();
        assert_eq!(verify(&claims), expected);
        assert!(claims.iter().zip(expected).all(|(claim, expected)| claim.holds() == expected));
    }

    /// With the key G the two sums are of multiples of one point, which meet: with R = S and a digest of 0, u is 0;
    /// with the digest -R the identity comes out; with the digest R, both halves are equal.
    #[test]
    fn sums_at_the_edge() {
        let one = Scalar::ONE;
        let r = Scalar::from(5_u64);
        let signature = Signature::from_scalars(r, r).unwrap();
        let key = key(&SigningKey::from_slice(&one.to_bytes()).unwrap());
        let digests = [Scalar::ZERO, -r, r, one, -one];
        let claims = digests.map(|digest| Claim {
            key: Arc::clone(&key),
            digest: digest.to_bytes().into(),
            signature,
        });
        assert_eq!(verify(&claims), claims.each_ref().map(Claim::holds));

        // A true signature whose sum doubles a point: u = v, so that R is 2u G.
        let u = Scalar::from(7_u64);
        let x = sums::abscissa_of(&(ProjectivePoint::GENERATOR * (u + u)));
        let r = <Scalar as Reduce<p256::FieldBytes>>::reduce(&x);
        let s = r * u.invert_vartime().unwrap();
        let claim = |digest: Scalar| Claim {
            key: Arc::clone(&key),
            digest: digest.to_bytes().into(),
            signature: Signature::from_scalars(r, s).unwrap(),
        };
        assert_eq!(verify(&[claim(r), claim(r + one)]), [true, false]);
    }

    #[test]
    fn a_key_verifies_before_and_after_it_has_a_table() {
        let signing = signing_key(9);
        let point = VerifyingKey::from(&signing).to_sec1_point(false);
        let key = Key::new(point.as_bytes()[1..].try_into().unwrap()).unwrap();
        for message in 0..2 * WORTH_A_TABLE {
            let message = message.to_be_bytes();
            let signature: Signature = signing.sign_prehash(&Sha256::digest(message)).unwrap();
            let claims = [key.claim(&[&message], signature), key.claim(&[b"another"], signature)];
            assert_eq!(verify(&claims), [true, false]);
        }
        assert!(key.table.get().is_some_and(Option::is_some));
    }

    #[test]
    fn a_point_beside_the_curve_is_no_key() {
        assert!(!is_key(&[0x5a; 64]));
        assert!(Key::new(&[0; 64]).is_none());
    }
}
