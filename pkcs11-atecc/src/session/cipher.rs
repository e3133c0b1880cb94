//! Encryption and decryption (sections 5.8 and 5.9) with AES.

mod gcm;

use cryptoki_sys::{CK_OBJECT_HANDLE, CKA_DECRYPT, CKA_ENCRYPT, CKA_KEY_TYPE, CKK_AES};
use zeroize::Zeroizing;

use super::{Session, operation::Operation};
use crate::{
    aes::{Aes, BLOCK, Block, xor},
    error::Error,
    mechanism::{AesMode, Mechanism, Parameter, Request},
    object::Key,
    output::{Answer, Offer},
    token::Token,
};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Encrypt,
    Decrypt,
}

/// An active encryption or decryption.
#[derive(Clone)]
pub(super) struct Cipher {
    direction: Direction,
    aes: Aes,
    mode: Mode,
    /// What came in and is not worked on yet.
    pending: Zeroizing<Vec<u8>>,
    in_parts: bool,
}

#[derive(Clone)]
enum Mode {
    Ecb,
    /// The block that the next one is mixed with.
    Cbc {
        chain: Block,
        is_padded: bool,
    },
    /// The next value of the counter, and which of its bits count.
    Ctr {
        counter: u128,
        mask: u128,
        left: Option<u128>,
    },
    Gcm(gcm::Gcm),
}

/// Longest input of one call: 65,536 bytes are 4096 commands of the chip.
const LONGEST: usize = 1 << 16;

impl Session {
    /// C_EncryptInit and C_DecryptInit.
    pub(crate) fn cipher_init(
        &self,
        direction: Direction,
        request: &Request<'_>,
        key: CK_OBJECT_HANDLE,
    ) -> Result<(), Error> {
        self.ciphers(direction, |cipher| {
            cipher.begin(|| {
                let (Mechanism::Aes(mode), parameter) = request.mechanism()? else {
                    return Err(Error::MechanismInvalid);
                };
                let use_of_key = match direction {
                    Direction::Encrypt => CKA_ENCRYPT,
                    Direction::Decrypt => CKA_DECRYPT,
                };
                let object = self.token.key_for(key, use_of_key)?;
                match object.key()? {
                    Key::Secret(key) if object.number(CKA_KEY_TYPE) == CKK_AES => {
                        let (aes, mode) = (Aes::new(key)?, Mode::new(mode, parameter)?);
                        Ok(Cipher { direction, aes, mode, pending: Zeroizing::default(), in_parts: false })
                    }
                    _ => Err(Error::KeyTypeInconsistent),
                }
            })
        })
    }

    /// C_Encrypt and C_Decrypt: the data and the offer for the result.
    pub(crate) fn cipher(
        &self,
        direction: Direction,
        arguments: Result<(&[u8], Offer), Error>,
    ) -> Result<Answer<Vec<u8>>, Error> {
        self.ciphers(direction, |cipher| {
            cipher.finish(|cipher| {
                let (data, offer) = arguments?;
                if cipher.in_parts {
                    return Err(Error::OperationActive);
                }
                cipher.end(&self.token, data, offer)
            })
        })
    }

    /// C_EncryptUpdate and C_DecryptUpdate: a part, and the offer for what is ready by then.
    pub(crate) fn cipher_update(
        &self,
        direction: Direction,
        arguments: Result<(&[u8], Offer), Error>,
    ) -> Result<Answer<Vec<u8>>, Error> {
        self.ciphers(direction, |cipher| {
            let mut answer = None;
            cipher.go_on(|cipher| {
                let (part, offer) = arguments?;
                answer = Some(cipher.update(&self.token, part, offer)?);
                Ok(())
            })?;
            answer.ok_or(Error::General)
        })
    }

    /// C_EncryptFinal and C_DecryptFinal.
    pub(crate) fn cipher_final(
        &self,
        direction: Direction,
        offer: Result<Offer, Error>,
    ) -> Result<Answer<Vec<u8>>, Error> {
        self.ciphers(direction, |cipher| cipher.finish(|cipher| cipher.end(&self.token, &[], offer?)))
    }

    fn ciphers<T>(&self, direction: Direction, call: impl FnOnce(&mut Operation<Cipher>) -> T) -> T {
        let mut operations = self.operations();
        call(match direction {
            Direction::Encrypt => &mut operations.encrypt,
            Direction::Decrypt => &mut operations.decrypt,
        })
    }
}

impl Cipher {
    /// Takes in a part and gives what is ready. Where that does not fit, nothing was taken in.
    fn update(&mut self, token: &Token, part: &[u8], offer: Offer) -> Result<Answer<Vec<u8>>, Error> {
        let held = self.pending.len();
        check_length(part.len())?;
        let ready = self.ready(held + part.len());
        // What is held back until the end is bounded as well.
        check_length(held + part.len() - ready)?;
        let answer = offer.fit(ready, || {
            self.in_parts = true;
            self.pending.extend_from_slice(part);
            let input: Zeroizing<Vec<u8>> = Zeroizing::new(self.pending.drain(..ready).collect());
            self.blocks(token, &input)
        })?;
        Ok(answer)
    }

    /// The rest of the result, once `last` is in. The operation itself stays as it was: the answer may not fit.
    fn end(&self, token: &Token, last: &[u8], offer: Offer) -> Result<Answer<Vec<u8>>, Error> {
        let length = self.pending.len() + last.len();
        check_length(length)?;
        match (self.longest_end(length), offer) {
            // It may be shorter once it is there, which only the work would tell.
            (longest, Offer::LengthOnly) => Ok(Answer::Length(longest)),
            (longest, Offer::Room(room)) if room < longest && !self.is_unpadding() => {
                Ok(Answer::TooLong(longest))
            }
            _ => {
                let result = self.clone().rest(token, last)?;
                offer.fit(result.len(), || Ok(result))
            }
        }
    }

    /// How many of `length` bytes can be worked on before the last have come.
    const fn ready(&self, length: usize) -> usize {
        match (&self.mode, self.direction) {
            // Its last block tells how much of it is padding.
            (Mode::Cbc { is_padded: true, .. }, Direction::Decrypt) if length > 0 => {
                (length - 1) / BLOCK * BLOCK
            }
            // Nothing may be seen of a message before its tag was checked, and its length is in the tag.
            (Mode::Gcm(_), _) => 0,
            _ => length / BLOCK * BLOCK,
        }
    }

    /// Bytes of the result at most, if `length` bytes are left.
    const fn longest_end(&self, length: usize) -> usize {
        match (&self.mode, self.direction) {
            (Mode::Cbc { is_padded: true, .. }, Direction::Encrypt) => (length / BLOCK + 1) * BLOCK,
            (Mode::Gcm(gcm), Direction::Encrypt) => length + gcm.tag_length(),
            (Mode::Gcm(gcm), Direction::Decrypt) => length.saturating_sub(gcm.tag_length()),
            _ => length,
        }
    }

    const fn is_unpadding(&self) -> bool {
        matches!((&self.mode, self.direction), (Mode::Cbc { is_padded: true, .. }, Direction::Decrypt))
    }

    fn rest(mut self, token: &Token, last: &[u8]) -> Result<Vec<u8>, Error> {
        let mut input = std::mem::take(&mut self.pending);
        input.extend_from_slice(last);
        let is_whole = input.len().is_multiple_of(BLOCK);
        match (&mut self.mode, self.direction) {
            (Mode::Gcm(gcm), Direction::Encrypt) => {
                gcm.encrypt(&input, |block| self.aes.encrypt(token, block))
            }
            (Mode::Gcm(gcm), Direction::Decrypt) => {
                gcm.decrypt(&input, |block| self.aes.encrypt(token, block))
            }
            (Mode::Ctr { .. }, _) => {
                let length = input.len();
                input.resize(length.next_multiple_of(BLOCK), 0);
                let mut output = self.blocks(token, &input)?;
                output.truncate(length);
                Ok(output)
            }
            (Mode::Cbc { is_padded: true, .. }, Direction::Encrypt) => {
                let padding = BLOCK - input.len() % BLOCK;
                let length = input.len() + padding;
                input.resize(length, padding as u8);
                self.blocks(token, &input)
            }
            (Mode::Cbc { is_padded: true, .. }, Direction::Decrypt) if !is_whole || input.is_empty() => {
                Err(Error::EncryptedDataLenRange)
            }
            (Mode::Cbc { is_padded: true, .. }, Direction::Decrypt) => unpadded(self.blocks(token, &input)?),
            (_, Direction::Encrypt) if !is_whole => Err(Error::DataLenRange),
            (_, Direction::Decrypt) if !is_whole => Err(Error::EncryptedDataLenRange),
            _ => self.blocks(token, &input),
        }
    }

    /// Works on whole blocks.
    fn blocks(&mut self, token: &Token, input: &[u8]) -> Result<Vec<u8>, Error> {
        let (blocks, _) = input.as_chunks::<BLOCK>();
        let mut output = Vec::with_capacity(input.len());
        for block in blocks {
            output.extend_from_slice(&self.block(token, block)?);
        }
        Ok(output)
    }

    fn block(&mut self, token: &Token, block: &Block) -> Result<Block, Error> {
        match (&mut self.mode, self.direction) {
            (Mode::Ecb, Direction::Encrypt) => self.aes.encrypt(token, block),
            (Mode::Ecb, Direction::Decrypt) => self.aes.decrypt(token, block),
            (Mode::Cbc { chain, .. }, Direction::Encrypt) => {
                *chain = self.aes.encrypt(token, &xor(block, chain))?;
                Ok(*chain)
            }
            (Mode::Cbc { chain, .. }, Direction::Decrypt) => {
                let plain = xor(&self.aes.decrypt(token, block)?, chain);
                *chain = *block;
                Ok(plain)
            }
            (Mode::Ctr { counter, mask, left }, _) => {
                if *left == Some(0) {
                    return Err(Error::DataLenRange);
                }
                let stream = self.aes.encrypt(token, &counter.to_be_bytes())?;
                *counter = *counter & !*mask | counter.wrapping_add(1) & *mask;
                *left = left.map(|left| left - 1);
                Ok(xor(block, &stream))
            }
            (Mode::Gcm(_), _) => Err(Error::General),
        }
    }
}

impl Mode {
    fn new(mode: AesMode, parameter: Parameter<'_>) -> Result<Self, Error> {
        match (mode, parameter) {
            (AesMode::Ecb, Parameter::None) => Ok(Self::Ecb),
            (AesMode::Cbc | AesMode::CbcPad, Parameter::Bytes(iv)) => {
                let chain = iv.try_into().map_err(|_| Error::MechanismParamInvalid)?;
                Ok(Self::Cbc { chain, is_padded: mode == AesMode::CbcPad })
            }
            (AesMode::Ctr, Parameter::Ctr { counter_bits: bits @ 1..=128, block }) => {
                let mask = u128::MAX >> (128 - bits);
                // "The data ... may not be longer than 2^ulCounterBits blocks": a counter must not come again.
                let left = 1_u128.checked_shl(u32::try_from(bits).map_err(|_| Error::MechanismParamInvalid)?);
                Ok(Self::Ctr { counter: u128::from_be_bytes(block), mask, left })
            }
            (AesMode::Gcm, Parameter::Gcm { iv, additional, tag_bits }) => {
                gcm::Gcm::new(iv, additional, tag_bits).map(Self::Gcm)
            }
            _ => Err(Error::MechanismParamInvalid),
        }
    }
}

/// Without the padding of PKCS #7, which is checked in the same time whatever it is.
fn unpadded(mut plain: Vec<u8>) -> Result<Vec<u8>, Error> {
    let Some(last) = plain.last_chunk::<BLOCK>() else { return Err(Error::EncryptedDataInvalid) };
    let padding = last[BLOCK - 1];
    let mut wrong = u8::from(padding == 0) | u8::from(padding > BLOCK as u8);
    for (from_end, byte) in (1_u8..).zip(last.iter().rev()) {
        wrong |= u8::from(from_end <= padding) * (byte ^ padding);
    }
    if wrong != 0 {
        return Err(Error::EncryptedDataInvalid);
    }
    plain.truncate(plain.len() - usize::from(padding));
    Ok(plain)
}

const fn check_length(length: usize) -> Result<(), Error> {
    if length > LONGEST { Err(Error::DataLenRange) } else { Ok(()) }
}
