//! Hash functions, on the host: a message would take the bus longer than the chip takes to sign it.

use cryptoki_sys::*;
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    /// Broken for signatures over what others chose; still used to name things.
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// Its mechanism (mechanisms, sections 2.20 to 2.24).
    pub(crate) const fn mechanism_type(self) -> CK_MECHANISM_TYPE {
        match self {
            Self::Sha1 => CKM_SHA_1,
            Self::Sha224 => CKM_SHA224,
            Self::Sha256 => CKM_SHA256,
            Self::Sha384 => CKM_SHA384,
            Self::Sha512 => CKM_SHA512,
        }
    }

    /// The mechanism that hashes and then signs with ECDSA (mechanisms, section 2.3.7).
    pub(crate) const fn ecdsa_mechanism_type(self) -> CK_MECHANISM_TYPE {
        match self {
            Self::Sha1 => CKM_ECDSA_SHA1,
            Self::Sha224 => CKM_ECDSA_SHA224,
            Self::Sha256 => CKM_ECDSA_SHA256,
            Self::Sha384 => CKM_ECDSA_SHA384,
            Self::Sha512 => CKM_ECDSA_SHA512,
        }
    }

    /// Bytes of a digest.
    pub(crate) const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Begins to hash.
    pub(crate) fn hasher(self) -> Hasher {
        match self {
            Self::Sha1 => Hasher::Sha1(Sha1::new()),
            Self::Sha224 => Hasher::Sha224(Sha224::new()),
            Self::Sha256 => Hasher::Sha256(Sha256::new()),
            Self::Sha384 => Hasher::Sha384(Sha384::new()),
            Self::Sha512 => Hasher::Sha512(Sha512::new()),
        }
    }
}

/// A message that is being hashed.
#[derive(Clone)]
pub(crate) enum Hasher {
    Sha1(Sha1),
    Sha224(Sha224),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    /// Takes in the next part of the message.
    pub(crate) fn update(&mut self, part: &[u8]) {
        match self {
            Self::Sha1(hasher) => hasher.update(part),
            Self::Sha224(hasher) => hasher.update(part),
            Self::Sha256(hasher) => hasher.update(part),
            Self::Sha384(hasher) => hasher.update(part),
            Self::Sha512(hasher) => hasher.update(part),
        }
    }

    /// The digest of what was taken in so far.
    pub(crate) fn digest(&self) -> Vec<u8> {
        match self.clone() {
            Self::Sha1(hasher) => hasher.finalize().to_vec(),
            Self::Sha224(hasher) => hasher.finalize().to_vec(),
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
            Self::Sha384(hasher) => hasher.finalize().to_vec(),
            Self::Sha512(hasher) => hasher.finalize().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests of "abc" begin with these bytes (FIPS 180-4, examples).
    #[test]
    fn published_digests() {
        let examples: [(Hash, [u8; 4]); 5] = [
            (Hash::Sha1, [0xa9, 0x99, 0x3e, 0x36]),
            (Hash::Sha224, [0x23, 0x09, 0x7d, 0x22]),
            (Hash::Sha256, [0xba, 0x78, 0x16, 0xbf]),
            (Hash::Sha384, [0xcb, 0x00, 0x75, 0x3f]),
            (Hash::Sha512, [0xdd, 0xaf, 0x35, 0xa1]),
        ];
        for (hash, beginning) in examples {
            let mut hasher = hash.hasher();
            hasher.update(b"a");
            hasher.update(b"");
            hasher.update(b"bc");
            assert_eq!(hasher.digest()[..4], beginning, "{hash:?}");
            assert_eq!(hasher.digest().len(), hash.length(), "{hash:?}");
        }
    }
}
