//! The mechanisms of the token (section 5.5 and mechanisms, sections 2.3, 2.8 to 2.10 and 2.20 to 2.24).

use atecc::Digest;
use atecc_token::Uses;
use cryptoki_sys::*;

use crate::{error::Error, hash::Hash};

/// What the token can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    /// CKM_EC_KEY_PAIR_GEN (mechanisms, section 2.3.5), in a slot that the configuration lists as free.
    EcKeyPairGen,
    /// CKM_ECDSA, "ECDSA without hashing" (mechanisms, section 2.3.6): the data is a digest made outside.
    Ecdsa,
    /// CKM_ECDSA_SHA256 and its kin (mechanisms, section 2.3.7): hashed on the host, signed in the chip.
    EcdsaWith(Hash),
    /// CKM_ECDH1_DERIVE (mechanisms, section 2.3.8): the secret from the chip, the key from it on the host.
    Ecdh1Derive,
    /// CKM_SHA256_HMAC, and with a length that the application chooses CKM_SHA256_HMAC_GENERAL (mechanisms,
    /// section 2.22).
    Hmac(MacLength),
    /// AES in a mode (mechanisms, sections 2.9 and 2.10).
    Aes(AesMode),
    /// CKM_AES_CMAC and CKM_AES_CMAC_GENERAL (mechanisms, section 2.11).
    Cmac(MacLength),
    /// CKM_SHA256 and its kin: hashed on the host.
    Digest(Hash),
}

/// How much of a MAC is the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MacLength {
    Whole,
    /// As many bytes as the parameter says, from the left.
    General,
}

/// A mode of AES.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AesMode {
    Ecb,
    Cbc,
    CbcPad,
    Ctr,
    Gcm,
}

/// What a CK_MECHANISM asks for, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) mechanism_type: CK_MECHANISM_TYPE,
    /// Read as the mechanism has it.
    pub(crate) parameter: Result<Parameter<'a>, Error>,
}

/// The parameter of a mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parameter<'a> {
    None,
    /// An initialization vector.
    Bytes(&'a [u8]),
    /// CK_MAC_GENERAL_PARAMS.
    Number(CK_ULONG),
    /// CK_AES_CTR_PARAMS.
    Ctr {
        counter_bits: CK_ULONG,
        block: [u8; 16],
    },
    /// CK_GCM_PARAMS.
    Gcm {
        iv: &'a [u8],
        additional: &'a [u8],
        tag_bits: CK_ULONG,
    },
    /// CK_ECDH1_DERIVE_PARAMS.
    Ecdh1 {
        kdf: CK_EC_KDF_TYPE,
        shared: &'a [u8],
        public: &'a [u8],
    },
}

/// How the bytes of a parameter are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    None,
    Bytes,
    Number,
    Ctr,
    Gcm,
    Ecdh1,
}

impl Request<'_> {
    /// The mechanism, if the token has it and the parameter is one of its kind.
    pub(crate) fn mechanism(&self) -> Result<(Mechanism, Parameter<'_>), Error> {
        Ok((Mechanism::from_type(self.mechanism_type)?, self.parameter?))
    }
}

impl Mechanism {
    /// Every mechanism, as C_GetMechanismList lists them.
    const ALL: &[Self] = &[
        Self::Ecdsa,
        Self::EcdsaWith(Hash::Sha1),
        Self::EcdsaWith(Hash::Sha224),
        Self::EcdsaWith(Hash::Sha256),
        Self::EcdsaWith(Hash::Sha384),
        Self::EcdsaWith(Hash::Sha512),
        Self::Ecdh1Derive,
        Self::EcKeyPairGen,
        Self::Hmac(MacLength::Whole),
        Self::Hmac(MacLength::General),
        Self::Aes(AesMode::Ecb),
        Self::Aes(AesMode::Cbc),
        Self::Aes(AesMode::CbcPad),
        Self::Aes(AesMode::Ctr),
        Self::Aes(AesMode::Gcm),
        Self::Cmac(MacLength::Whole),
        Self::Cmac(MacLength::General),
        Self::Digest(Hash::Sha1),
        Self::Digest(Hash::Sha224),
        Self::Digest(Hash::Sha256),
        Self::Digest(Hash::Sha384),
        Self::Digest(Hash::Sha512),
    ];

    /// The types of all mechanisms of a token. Where no slot is free for a new key, CKM_EC_KEY_PAIR_GEN is none.
    pub(crate) fn types(generates: bool) -> Vec<CK_MECHANISM_TYPE> {
        Self::types_of(|mechanism| generates || mechanism != Self::EcKeyPairGen)
    }

    /// The types of those that use a private key, for CKA_ALLOWED_MECHANISMS.
    pub(crate) fn types_with_private_key(may: Uses) -> Vec<CK_MECHANISM_TYPE> {
        Self::types_of(|mechanism| {
            may.sign && mechanism.is_ecdsa() || may.ecdh && mechanism == Self::Ecdh1Derive
        })
    }

    /// The types of those that use a public key.
    pub(crate) fn types_with_public_key() -> Vec<CK_MECHANISM_TYPE> {
        Self::types_of(Self::is_ecdsa)
    }

    /// The types of those that use a secret key of this type.
    pub(crate) fn types_with_secret_key(key_type: CK_KEY_TYPE) -> Vec<CK_MECHANISM_TYPE> {
        Self::types_of(|mechanism| match mechanism {
            Self::Hmac(_) => key_type != CKK_AES,
            Self::Aes(_) | Self::Cmac(_) => key_type == CKK_AES,
            _ => false,
        })
    }

    fn types_of(is_one: impl Fn(Self) -> bool) -> Vec<CK_MECHANISM_TYPE> {
        Self::ALL
            .iter()
            .filter(|mechanism| is_one(**mechanism))
            .map(|mechanism| mechanism.mechanism_type())
            .collect()
    }

    const fn is_ecdsa(self) -> bool {
        matches!(self, Self::Ecdsa | Self::EcdsaWith(_))
    }

    /// The mechanism of this type.
    pub(crate) fn from_type(mechanism_type: CK_MECHANISM_TYPE) -> Result<Self, Error> {
        Self::ALL
            .iter()
            .copied()
            .find(|mechanism| mechanism.mechanism_type() == mechanism_type)
            .ok_or(Error::MechanismInvalid)
    }

    /// Its number in the standard.
    pub(crate) const fn mechanism_type(self) -> CK_MECHANISM_TYPE {
        match self {
            Self::EcKeyPairGen => CKM_EC_KEY_PAIR_GEN,
            Self::Ecdsa => CKM_ECDSA,
            Self::EcdsaWith(hash) => hash.ecdsa_mechanism_type(),
            Self::Ecdh1Derive => CKM_ECDH1_DERIVE,
            Self::Hmac(MacLength::Whole) => CKM_SHA256_HMAC,
            Self::Hmac(MacLength::General) => CKM_SHA256_HMAC_GENERAL,
            Self::Aes(AesMode::Ecb) => CKM_AES_ECB,
            Self::Aes(AesMode::Cbc) => CKM_AES_CBC,
            Self::Aes(AesMode::CbcPad) => CKM_AES_CBC_PAD,
            Self::Aes(AesMode::Ctr) => CKM_AES_CTR,
            Self::Aes(AesMode::Gcm) => CKM_AES_GCM,
            Self::Cmac(MacLength::Whole) => CKM_AES_CMAC,
            Self::Cmac(MacLength::General) => CKM_AES_CMAC_GENERAL,
            Self::Digest(hash) => hash.mechanism_type(),
        }
    }

    /// What its parameter is.
    pub(crate) const fn layout(self) -> Layout {
        match self {
            Self::Ecdh1Derive => Layout::Ecdh1,
            Self::Hmac(MacLength::General) | Self::Cmac(MacLength::General) => Layout::Number,
            Self::Aes(AesMode::Cbc | AesMode::CbcPad) => Layout::Bytes,
            Self::Aes(AesMode::Ctr) => Layout::Ctr,
            Self::Aes(AesMode::Gcm) => Layout::Gcm,
            _ => Layout::None,
        }
    }

    /// What C_GetMechanismInfo tells. CKF_HW where the chip works, or may; it knows P-256 only, by name. Key sizes are
    /// in bits for EC, in bytes for AES and secrets; longer keys are those that applications bring.
    pub(crate) const fn info(self) -> CK_MECHANISM_INFO {
        const EC: CK_FLAGS = CKF_HW | CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS;
        let (min, max, flags) = match self {
            Self::EcKeyPairGen => (256, 256, EC | CKF_GENERATE_KEY_PAIR),
            Self::Ecdsa | Self::EcdsaWith(_) => (256, 256, EC | CKF_SIGN | CKF_VERIFY),
            Self::Ecdh1Derive => (256, 256, EC | CKF_DERIVE),
            Self::Hmac(_) => (1, 4096, CKF_HW | CKF_SIGN | CKF_VERIFY),
            Self::Aes(_) => (16, 32, CKF_HW | CKF_ENCRYPT | CKF_DECRYPT),
            Self::Cmac(_) => (16, 32, CKF_HW | CKF_SIGN | CKF_VERIFY),
            Self::Digest(_) => (0, 0, CKF_DIGEST),
        };
        CK_MECHANISM_INFO { ulMinKeySize: min, ulMaxKeySize: max, flags }
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
    fn each_mechanism_has_a_number_of_its_own() {
        for &mechanism in Mechanism::ALL {
            assert_eq!(Mechanism::from_type(mechanism.mechanism_type()), Ok(mechanism));
        }
        assert_eq!(Mechanism::from_type(CKM_RSA_PKCS), Err(Error::MechanismInvalid));
    }

    #[test]
    fn keys_are_for_the_mechanisms_of_their_kind() {
        let types = Mechanism::types_with_public_key();
        assert_eq!(types.len(), 6);
        assert!(types.contains(&CKM_ECDSA) && !types.contains(&CKM_SHA256));
        assert!(Mechanism::types_with_secret_key(CKK_AES).contains(&CKM_AES_CMAC));
        assert_eq!(
            Mechanism::types_with_secret_key(CKK_GENERIC_SECRET),
            [CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL]
        );
    }

    #[test]
    fn a_token_without_a_free_slot_generates_nothing() {
        assert!(Mechanism::types(true).contains(&CKM_EC_KEY_PAIR_GEN));
        assert!(!Mechanism::types(false).contains(&CKM_EC_KEY_PAIR_GEN));
    }
}
