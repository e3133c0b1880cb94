//! What is signed or verified, as it comes in: the same for C_Sign and C_Verify (sections 5.11 and 5.12).

use atecc::Digest;

use crate::{
    error::Error,
    hash::Hasher,
    mechanism::{Mechanism, ecdsa_input},
};

/// The message of an operation.
pub(super) enum Message {
    /// CKM_ECDSA: the application hashed it, and gives the digest in a single part.
    Hashed,
    /// CKM_ECDSA_SHA256 and its kin: hashed here.
    ToHash {
        hasher: Box<Hasher>,
        /// Whether a part has come, so that only the Final function can end the operation.
        in_parts: bool,
    },
}

impl Message {
    /// The message of an operation with this mechanism.
    pub(super) fn new(mechanism: Mechanism) -> Result<Self, Error> {
        match mechanism {
            Mechanism::Ecdsa => Ok(Self::Hashed),
            Mechanism::EcdsaWith(hash) => {
                Ok(Self::ToHash { hasher: Box::new(hash.hasher()), in_parts: false })
            }
            _ => Err(Error::MechanismInvalid),
        }
    }

    /// What is signed if `data` is the whole message.
    pub(super) fn whole(&self, data: &[u8]) -> Result<Digest, Error> {
        match self {
            Self::Hashed => ecdsa_input(data),
            Self::ToHash { in_parts: true, .. } => Err(Error::OperationActive),
            Self::ToHash { hasher, in_parts: false } => {
                let mut hasher = hasher.clone();
                hasher.update(data);
                ecdsa_input(&hasher.digest())
            }
        }
    }

    /// Takes in a part. CKM_ECDSA works in a single part only (mechanisms, section 2.3.6).
    pub(super) fn update(&mut self, part: &[u8]) -> Result<(), Error> {
        match self {
            Self::Hashed => Err(Error::FunctionNotSupported),
            Self::ToHash { hasher, in_parts } => {
                *in_parts = true;
                hasher.update(part);
                Ok(())
            }
        }
    }

    /// What is signed if no more parts come.
    pub(super) fn end(&self) -> Result<Digest, Error> {
        match self {
            Self::Hashed => Err(Error::FunctionNotSupported),
            Self::ToHash { hasher, .. } => ecdsa_input(&hasher.digest()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;

    #[test]
    fn parts_are_one_message() {
        for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha512] {
            let whole = Message::new(Mechanism::EcdsaWith(hash)).unwrap().whole(b"one message").unwrap();
            let mut message = Message::new(Mechanism::EcdsaWith(hash)).unwrap();
            message.update(b"one ").unwrap();
            message.update(b"message").unwrap();
            assert_eq!(message.end(), Ok(whole), "{hash:?}");
        }
    }

    #[test]
    fn the_empty_message_has_a_digest() {
        let message = Message::new(Mechanism::EcdsaWith(Hash::Sha256)).unwrap();
        assert_eq!(message.end(), message.whole(b""));
        assert_eq!(message.end().unwrap()[..4], [0xe3, 0xb0, 0xc4, 0x42]);
    }

    #[test]
    fn parts_and_a_whole_do_not_mix() {
        let mut message = Message::new(Mechanism::EcdsaWith(Hash::Sha256)).unwrap();
        message.update(b"").unwrap();
        assert_eq!(message.whole(b""), Err(Error::OperationActive));
    }

    #[test]
    fn a_digest_comes_in_one_part() {
        let mut message = Message::new(Mechanism::Ecdsa).unwrap();
        assert_eq!(message.whole(&[7; 32]), Ok([7; 32]));
        assert_eq!(message.update(&[7; 32]), Err(Error::FunctionNotSupported));
        assert_eq!(message.end(), Err(Error::FunctionNotSupported));
    }

    #[test]
    fn hashing_alone_signs_nothing() {
        let digest = Mechanism::Digest(Hash::Sha256);
        assert_eq!(Message::new(digest).err(), Some(Error::MechanismInvalid));
    }
}
