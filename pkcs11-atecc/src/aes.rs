//! The AES block, in the chip or on the host, and what the modes need beside it.
//!
//! The modes are written here and not taken from crates of modes: those work on a block cipher that cannot fail, and
//! the chip can in the middle of a message.

use aes::{
    Aes128, Aes192, Aes256,
    cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _},
};

use crate::{error::Error, object::SecretKey, token::Token};

/// A block of AES.
pub(crate) type Block = [u8; BLOCK];
/// Bytes of a block.
pub(crate) const BLOCK: usize = 16;

/// A key, ready to work.
#[derive(Clone)]
pub(crate) enum Aes {
    /// Bytes of its own, which are overwritten when it goes.
    Host128(Box<Aes128>),
    Host192(Box<Aes192>),
    Host256(Box<Aes256>),
    /// In the chip: each block is a command.
    Chip {
        slot: atecc::Slot,
        key_block: u8,
    },
}

impl Aes {
    /// Prepares a key.
    pub(crate) fn new(key: &SecretKey) -> Result<Self, Error> {
        match key {
            SecretKey::Aes { slot, key_block } => Ok(Self::Chip { slot: *slot, key_block: *key_block }),
            SecretKey::Hmac { .. } => Err(Error::KeyTypeInconsistent),
            SecretKey::Host(key) => {
                let key = key.as_bytes();
                let of_length = || {
                    Some(match key.len() {
                        16 => Self::Host128(Box::new(Aes128::new_from_slice(key).ok()?)),
                        24 => Self::Host192(Box::new(Aes192::new_from_slice(key).ok()?)),
                        32 => Self::Host256(Box::new(Aes256::new_from_slice(key).ok()?)),
                        _ => return None,
                    })
                };
                of_length().ok_or(Error::KeyTypeInconsistent)
            }
        }
    }

    /// Encrypts a block.
    pub(crate) fn encrypt(&self, token: &Token, block: &Block) -> Result<Block, Error> {
        let mut result = (*block).into();
        match self {
            Self::Host128(aes) => aes.encrypt_block(&mut result),
            Self::Host192(aes) => aes.encrypt_block(&mut result),
            Self::Host256(aes) => aes.encrypt_block(&mut result),
            Self::Chip { slot, key_block } => return token.aes_encrypt(*slot, *key_block, block),
        }
        Ok(result.into())
    }

    /// Decrypts a block.
    pub(crate) fn decrypt(&self, token: &Token, block: &Block) -> Result<Block, Error> {
        let mut result = (*block).into();
        match self {
            Self::Host128(aes) => aes.decrypt_block(&mut result),
            Self::Host192(aes) => aes.decrypt_block(&mut result),
            Self::Host256(aes) => aes.decrypt_block(&mut result),
            Self::Chip { slot, key_block } => return token.aes_decrypt(*slot, *key_block, block),
        }
        Ok(result.into())
    }
}

/// The bits of one block, changed by those of another.
pub(crate) fn xor(one: &Block, other: &Block) -> Block {
    std::array::from_fn(|at| one[at] ^ other[at])
}

/// CMAC (NIST SP 800-38B, section 6.2), with `encrypt` as the block cipher.
pub(crate) fn cmac(message: &[u8], encrypt: impl Fn(&Block) -> Result<Block, Error>) -> Result<Block, Error> {
    let first = doubled(encrypt(&[0; BLOCK])?);
    let (last, subkey) = match message.len() {
        0 => (0, doubled(first)),
        length if length % BLOCK == 0 => (length - BLOCK, first),
        length => (length - length % BLOCK, doubled(first)),
    };
    let mut mac = [0; BLOCK];
    let (blocks, _) = message[..last].as_chunks::<BLOCK>();
    for block in blocks {
        mac = encrypt(&xor(&mac, block))?;
    }
    let rest = &message[last..];
    let mut padded = [0; BLOCK];
    padded[..rest.len()].copy_from_slice(rest);
    if let Some(end) = padded.get_mut(rest.len()) {
        *end = 0x80;
    }
    encrypt(&xor(&mac, &xor(&padded, &subkey)))
}

/// Twice the value, in the field of SP 800-38B, section 5.3.
fn doubled(block: Block) -> Block {
    let value = u128::from_be_bytes(block);
    (value << 1 ^ if value >> 127 == 1 { 0x87 } else { 0 }).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::unhex;

    /// NIST SP 800-38B, appendix D.1, and AES-128 of SP 800-38A.
    #[test]
    fn published_cmacs() {
        let key = unhex("2b7e151628aed2a6abf7158809cf4f3c").unwrap();
        let aes = Aes128::new_from_slice(&key).unwrap();
        let message = unhex(concat!(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
            "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
        ))
        .unwrap();
        for (length, mac) in [
            (0, "bb1d6929e95937287fa37d129b756746"),
            (16, "070a16b46b4d4144f79bdd9dd04a287c"),
            (40, "dfa66747de9ae63030ca32611497c827"),
            (64, "51f0bebf7e3b9d92fc49741779363cfe"),
        ] {
            let encrypt = |block: &Block| {
                let mut result = (*block).into();
                aes.encrypt_block(&mut result);
                Ok(result.into())
            };
            assert_eq!(cmac(&message[..length], encrypt).unwrap().to_vec(), unhex(mac).unwrap(), "{length}");
        }
    }
}
