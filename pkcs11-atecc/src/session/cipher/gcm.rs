//! Galois/Counter Mode (NIST SP 800-38D).

use cryptoki_sys::CK_ULONG;
use ghash::{GHash, universal_hash::UniversalHash as _};
use subtle::ConstantTimeEq as _;

use crate::{
    aes::{BLOCK, Block, xor},
    error::Error,
};

/// The parameters of a message.
#[derive(Clone)]
pub(super) struct Gcm {
    iv: Vec<u8>,
    additional: Vec<u8>,
    tag_length: usize,
}

/// Longest initialization vector and additional data.
const LONGEST: usize = 1 << 16;

impl Gcm {
    /// "ulTagBits ... can be any value between 0 and 128" (mechanisms, section 2.10.4); section 5.2.1.2 of NIST's
    /// document names the lengths that protect.
    pub(super) fn new(iv: &[u8], additional: &[u8], tag_bits: CK_ULONG) -> Result<Self, Error> {
        if iv.is_empty() || iv.len() > LONGEST || additional.len() > LONGEST {
            return Err(Error::MechanismParamInvalid);
        }
        let tag_length = match tag_bits {
            96 | 104 | 112 | 120 | 128 => {
                usize::try_from(tag_bits / 8).map_err(|_| Error::MechanismParamInvalid)?
            }
            _ => return Err(Error::MechanismParamInvalid),
        };
        Ok(Self { iv: iv.to_vec(), additional: additional.to_vec(), tag_length })
    }

    /// Bytes of the tag.
    pub(super) const fn tag_length(&self) -> usize {
        self.tag_length
    }

    /// The ciphertext and behind it the tag.
    pub(super) fn encrypt(
        &self,
        plain: &[u8],
        block: impl Fn(&Block) -> Result<Block, Error>,
    ) -> Result<Vec<u8>, Error> {
        let h = block(&[0; BLOCK])?;
        let start = self.start(&h);
        let mut output = counted(plain, &start, &block)?;
        let tag = xor(&self.hash(&h, &output), &block(&start)?);
        output.extend_from_slice(&tag[..self.tag_length]);
        Ok(output)
    }

    /// The plaintext, if the tag is right.
    pub(super) fn decrypt(
        &self,
        input: &[u8],
        block: impl Fn(&Block) -> Result<Block, Error>,
    ) -> Result<Vec<u8>, Error> {
        let length = input.len().checked_sub(self.tag_length).ok_or(Error::EncryptedDataLenRange)?;
        let (text, tag) = input.split_at(length);
        let h = block(&[0; BLOCK])?;
        let start = self.start(&h);
        let right = xor(&self.hash(&h, text), &block(&start)?);
        if !bool::from(right[..self.tag_length].ct_eq(tag)) {
            return Err(Error::EncryptedDataInvalid);
        }
        counted(text, &start, &block)
    }

    /// The first value of the counter (section 7.1, step 2).
    fn start(&self, h: &Block) -> Block {
        let mut start = [0; BLOCK];
        if let Ok(iv) = <[u8; 12]>::try_from(self.iv.as_slice()) {
            start[..12].copy_from_slice(&iv);
            start[15] = 1;
            return start;
        }
        hash(h, &[], &self.iv)
    }

    fn hash(&self, h: &Block, text: &[u8]) -> Block {
        hash(h, &self.additional, text)
    }
}

/// GHASH of both, each filled up to a block, and their lengths in bits.
fn hash(h: &Block, additional: &[u8], text: &[u8]) -> Block {
    let mut ghash = GHash::new(&(*h).into());
    ghash.update_padded(additional);
    ghash.update_padded(text);
    let mut lengths = [0; BLOCK];
    lengths[..8].copy_from_slice(&(8 * additional.len() as u64).to_be_bytes());
    lengths[8..].copy_from_slice(&(8 * text.len() as u64).to_be_bytes());
    ghash.update(&[lengths.into()]);
    ghash.finalize().into()
}

/// Counter mode from the value behind `start`; the last 32 bits count (section 6.5).
fn counted(
    input: &[u8],
    start: &Block,
    block: impl Fn(&Block) -> Result<Block, Error>,
) -> Result<Vec<u8>, Error> {
    let mut counter = *start;
    let mut output = Vec::with_capacity(input.len() + BLOCK);
    for part in input.chunks(BLOCK) {
        let (_, count) = counter.split_at_mut(12);
        let next = count.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)).wrapping_add(1);
        count.copy_from_slice(&next.to_be_bytes());
        let stream = block(&counter)?;
        output.extend(part.iter().zip(stream).map(|(byte, mask)| byte ^ mask));
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use aes::{
        Aes128,
        cipher::{BlockCipherEncrypt as _, KeyInit as _},
    };

    use super::*;
    use crate::store::unhex;

    fn cipher(key: &str) -> impl Fn(&Block) -> Result<Block, Error> {
        let aes = Aes128::new_from_slice(&unhex(key).unwrap()).unwrap();
        move |block| {
            let mut result = (*block).into();
            aes.encrypt_block(&mut result);
            Ok(result.into())
        }
    }

    const KEY: &str = "feffe9928665731c6d6a8f9467308308";
    const PLAIN: &str = concat!(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72",
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    );
    const ADDITIONAL: &str = "feedfacedeadbeeffeedfacedeadbeefabaddad2";

    /// Test cases 4 to 6 of "The Galois/Counter Mode of Operation" (McGrew and Viega).
    #[test]
    fn published_messages() {
        for (iv, start, tag) in [
            ("cafebabefacedbaddecaf888", "42831ec2", "5bc94fbc3221a5db94fae95ae7121a47"),
            ("cafebabefacedbad", "61353b4c", "3612d2e79e3b0785561be14aaca2fccb"),
            (
                concat!(
                    "9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728",
                    "c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b"
                ),
                "8ce24998",
                "619cc5aefffe0bfa462af43c1699d050",
            ),
        ] {
            let gcm = Gcm::new(&unhex(iv).unwrap(), &unhex(ADDITIONAL).unwrap(), 128).unwrap();
            let plain = unhex(PLAIN).unwrap();
            let message = gcm.encrypt(&plain, cipher(KEY)).unwrap();
            assert_eq!(message[..4], unhex(start).unwrap());
            assert_eq!(message[plain.len()..], unhex(tag).unwrap());
            assert_eq!(gcm.decrypt(&message, cipher(KEY)).unwrap(), plain);
            for at in [0, plain.len() - 1, plain.len(), message.len() - 1] {
                let mut wrong = message.clone();
                wrong[at] ^= 1;
                assert_eq!(gcm.decrypt(&wrong, cipher(KEY)), Err(Error::EncryptedDataInvalid));
            }
        }
    }

    #[test]
    fn tags_that_protect_nothing_are_refused() {
        assert_eq!(Gcm::new(&[1; 12], &[], 64).err(), Some(Error::MechanismParamInvalid));
        assert_eq!(Gcm::new(&[1; 12], &[], 0).err(), Some(Error::MechanismParamInvalid));
        assert_eq!(Gcm::new(&[], &[], 128).err(), Some(Error::MechanismParamInvalid));
        let short = Gcm::new(&[1; 12], &[], 96).unwrap();
        assert_eq!(short.encrypt(&[], cipher(KEY)).unwrap().len(), 12);
        assert_eq!(short.decrypt(&[0; 11], cipher(KEY)), Err(Error::EncryptedDataLenRange));
    }
}
