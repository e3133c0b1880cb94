//! The mechanisms of the token (section 5.5 and mechanisms, sections 2.3 and 2.20 to 2.24).

use atecc::Digest;
use cryptoki_sys::*;

use crate::{error::Error, hash::Hash};

/// What the token can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    /// CKM_ECDSA, "ECDSA without hashing" (mechanisms, section 2.3.6): the data is a digest made outside.
    Ecdsa,
    /// CKM_ECDSA_SHA256 and its kin (mechanisms, section 2.3.7): hashed on the host, signed in the chip.
    EcdsaWith(Hash),
    /// CKM_SHA256 and its kin: hashed on the host.
    Digest(Hash),
}

impl Mechanism {
    /// Every mechanism, as C_GetMechanismList lists them.
    pub(crate) const ALL: &[Self] = &[
        Self::Ecdsa,
        Self::EcdsaWith(Hash::Sha1),
        Self::EcdsaWith(Hash::Sha224),
        Self::EcdsaWith(Hash::Sha256),
        Self::EcdsaWith(Hash::Sha384),
        Self::EcdsaWith(Hash::Sha512),
        Self::Digest(Hash::Sha1),
        Self::Digest(Hash::Sha224),
        Self::Digest(Hash::Sha256),
        Self::Digest(Hash::Sha384),
        Self::Digest(Hash::Sha512),
    ];

    /// The types of all mechanisms.
    pub(crate) fn types() -> Vec<CK_MECHANISM_TYPE> {
        Self::ALL.iter().map(|mechanism| mechanism.mechanism_type()).collect()
    }

    /// The types of those that use a key of an EC pair, for CKA_ALLOWED_MECHANISMS.
    pub(crate) fn types_with_ec_key() -> Vec<CK_MECHANISM_TYPE> {
        let with_key = Self::ALL.iter().filter(|mechanism| !matches!(mechanism, Self::Digest(_)));
        with_key.map(|mechanism| mechanism.mechanism_type()).collect()
    }

    /// The mechanism of this type.
    pub(crate) fn from_type(mechanism_type: CK_MECHANISM_TYPE) -> Result<Self, Error> {
        Self::ALL
            .iter()
            .copied()
            .find(|mechanism| mechanism.mechanism_type() == mechanism_type)
            .ok_or(Error::MechanismInvalid)
    }

    /// The mechanism that a CK_MECHANISM names, with the length of its parameter: none takes one.
    pub(crate) fn parse(mechanism_type: CK_MECHANISM_TYPE, parameter: usize) -> Result<Self, Error> {
        let mechanism = Self::from_type(mechanism_type)?;
        if parameter == 0 { Ok(mechanism) } else { Err(Error::MechanismParamInvalid) }
    }

    /// Its number in the standard.
    pub(crate) const fn mechanism_type(self) -> CK_MECHANISM_TYPE {
        match self {
            Self::Ecdsa => CKM_ECDSA,
            Self::EcdsaWith(hash) => hash.ecdsa_mechanism_type(),
            Self::Digest(hash) => hash.mechanism_type(),
        }
    }

    /// What C_GetMechanismInfo tells. Key sizes are in bits: the chip knows P-256 only, by name.
    pub(crate) const fn info(self) -> CK_MECHANISM_INFO {
        match self {
            Self::Ecdsa | Self::EcdsaWith(_) => CK_MECHANISM_INFO {
                ulMinKeySize: 256,
                ulMaxKeySize: 256,
                flags: CKF_HW | CKF_SIGN | CKF_VERIFY | CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS,
            },
            Self::Digest(_) => CK_MECHANISM_INFO { ulMinKeySize: 0, ulMaxKeySize: 0, flags: CKF_DIGEST },
        }
    }
}

/// What ECDSA over P-256 signs for a digest: its leftmost 256 bits; fewer are an integer and get zeros in front.
///
/// Clients bring the digest of whichever hash they chose, from SHA-1's 20 bytes to SHA-512's 64. Data beyond
/// that is no digest: it was probably meant to be hashed, and is refused.
pub(crate) fn ecdsa_input(data: &[u8]) -> Result<Digest, Error> {
    if data.is_empty() || data.len() > LONGEST_DIGEST {
        return Err(Error::DataLenRange);
    }
    let mut digest = Digest::default();
    let used = data.len().min(digest.len());
    let start = digest.len() - used;
    digest[start..].copy_from_slice(&data[..used]);
    Ok(digest)
}

/// Bytes of a SHA-512 digest.
const LONGEST_DIGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sha256_digest_is_taken_as_it_is() {
        let digest: Digest = std::array::from_fn(|index| index as u8);
        assert_eq!(ecdsa_input(&digest), Ok(digest));
    }

    #[test]
    fn a_longer_digest_is_cut_to_its_leftmost_bits() {
        let sha512: [u8; 64] = std::array::from_fn(|index| index as u8);
        assert_eq!(ecdsa_input(&sha512).unwrap(), sha512[..32]);
        assert_eq!(ecdsa_input(&sha512[..48]).unwrap(), sha512[..32]);
    }

    #[test]
    fn a_shorter_digest_is_an_integer() {
        let digest = ecdsa_input(&[0xaa; 20]).unwrap();
        assert_eq!(digest[..12], [0; 12]);
        assert_eq!(digest[12..], [0xaa; 20]);
        assert_eq!(ecdsa_input(&[7]).unwrap()[31], 7);
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        assert_eq!(ecdsa_input(&[]), Err(Error::DataLenRange));
        assert_eq!(ecdsa_input(&[0; 65]), Err(Error::DataLenRange));
    }

    #[test]
    fn no_mechanism_takes_a_parameter() {
        for &mechanism in Mechanism::ALL {
            let number = mechanism.mechanism_type();
            assert_eq!(Mechanism::parse(number, 0), Ok(mechanism));
            assert_eq!(Mechanism::parse(number, 1), Err(Error::MechanismParamInvalid));
        }
        assert_eq!(Mechanism::parse(CKM_RSA_PKCS, 0), Err(Error::MechanismInvalid));
    }

    #[test]
    fn keys_are_for_ecdsa_only() {
        let types = Mechanism::types_with_ec_key();
        assert_eq!(types.len(), 6);
        assert!(types.contains(&CKM_ECDSA) && !types.contains(&CKM_SHA256));
    }
}
