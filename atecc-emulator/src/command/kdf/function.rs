//! The three functions of KDF: PRF, AES and HKDF.

use atecc::{Slot, Status};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::super::{
    access::require,
    aes::{encrypt, is_enabled, taken},
    chip_options::ChipOptions,
    volatile::TempKey,
};
use crate::memory::Memory;

/// KdfIvLoc and KdfIvStr in the configuration zone.
const IV_LOCATION: usize = 72;
const IV: core::ops::Range<usize> = 73..75;

/// What is to be computed, with the message where it comes in.
#[derive(Debug)]
pub(super) enum Function<'a> {
    /// The PRF of TLS 1.2 (table 5-85).
    Prf { key_length: usize, blocks: usize, has_extra: bool, seed: &'a [u8] },
    /// One block of AES (table 5-88).
    Aes { key_start: usize, block: [u8; 16] },
    /// One HMAC, the step of which HKDF is made (table 5-91).
    Hkdf { has_zero_key: bool, message: Message<'a> },
}

/// MsgLoc: where the message of HKDF is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Message<'a> {
    /// The first bytes of a slot.
    Slot(Slot, usize),
    /// The first bytes of TempKey.
    TempKey(usize),
    /// With the command.
    Input(&'a [u8]),
    /// With the command, and with the string of the configuration zone at its place.
    Special(&'a [u8]),
}

impl<'a> Function<'a> {
    /// What mode and details ask for.
    pub(super) fn parse(mode: u8, details: u32, message: &'a [u8]) -> Result<Self, Status> {
        let length = (details >> 24) as usize;
        match mode & 0xe0 {
            0x00 => {
                let (blocks, aead) = (1 + (details >> 8 & 0x01) as usize, details >> 9 & 0x03);
                let is_legal = details & 0x00ff_f8fc == 0 && message.len() == length;
                match aead {
                    0 if is_legal => {}
                    1 if is_legal && blocks == 2 => {}
                    _ => return Err(Status::ParseError),
                }
                let key_length = 16 * (1 + (details & 0x03) as usize);
                Ok(Self::Prf { key_length, blocks, has_extra: aead == 1, seed: message })
            }
            0x20 => {
                let block = message.try_into().map_err(|_| Status::ParseError)?;
                let is_legal = details & !0x03 == 0;
                is_legal
                    .then_some(Self::Aes { key_start: 16 * details as usize, block })
                    .ok_or(Status::ParseError)
            }
            0x40 if details & 0x00ff_f0f8 == 0 => {
                let slot = Slot::new((details >> 8 & 0x0f) as u8).ok_or(Status::ParseError)?;
                let is_sent = message.len() == length;
                let message = match details & 0x03 {
                    0 if message.is_empty() => Message::Slot(slot, length),
                    1 if message.is_empty() => Message::TempKey(length),
                    2 if is_sent => Message::Input(message),
                    3 if is_sent => Message::Special(message),
                    _ => return Err(Status::ParseError),
                };
                Ok(Self::Hkdf { has_zero_key: details & 0x04 != 0, message })
            }
            _ => Err(Status::ParseError),
        }
    }

    /// Bytes that go to the target.
    pub(super) const fn target_length(&self) -> usize {
        match self {
            Self::Prf { blocks, has_extra: false, .. } => 32 * *blocks,
            _ => 32,
        }
    }

    /// Aead: half of the result goes to the output buffer and the rest to the target.
    pub(super) const fn has_extra_output(&self) -> bool {
        matches!(self, Self::Prf { has_extra: true, .. })
    }

    /// The special initialization vector, for which KDFPROT makes an exception.
    pub(super) const fn is_special(&self) -> bool {
        matches!(self, Self::Hkdf { message: Message::Special(_), .. })
    }
}

/// Computes it with this source key.
pub(super) fn derive(
    function: &Function<'_>,
    memory: &Memory,
    source: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Status> {
    match *function {
        Function::Prf { key_length, blocks, seed, .. } => {
            let key = source.get(..key_length).ok_or(Status::ExecutionError)?;
            prf(key, seed, blocks)
        }
        Function::Aes { key_start, block } => {
            require(is_enabled(memory) && ChipOptions::of(&memory.configuration()).is_kdf_aes_enabled())?;
            let mut result = Zeroizing::new(encrypt(taken(source, key_start)?, block).to_vec());
            result.resize(32, 0x00);
            Ok(result)
        }
        Function::Hkdf { has_zero_key, message } => {
            let key = if has_zero_key { &[0; 32] } else { source.get(..32).ok_or(Status::ExecutionError)? };
            let message = resolve(message, memory)?;
            Ok(Zeroizing::new(hmac(key, &[&message])?.to_vec()))
        }
    }
}

/// P_SHA256 of RFC 5246, section 5: the label stands in front of the seed already.
fn prf(key: &[u8], seed: &[u8], blocks: usize) -> Result<Zeroizing<Vec<u8>>, Status> {
    let mut result = Zeroizing::new(Vec::with_capacity(32 * blocks));
    let mut a = hmac(key, &[seed])?;
    for _ in 0..blocks {
        result.extend_from_slice(&hmac(key, &[&a, seed])?);
        a = hmac(key, &[&a])?;
    }
    Ok(result)
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], Status> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Status::ExecutionError)?;
    parts.iter().for_each(|part| mac.update(part));
    Ok(mac.finalize().into_bytes().into())
}

/// The bytes of the message. One of no length is 32 zeros.
fn resolve(message: Message<'_>, memory: &Memory) -> Result<Zeroizing<Vec<u8>>, Status> {
    let (bytes, length) = match message {
        Message::Slot(slot, length) => {
            require(!memory.rules(slot).is_marked_private() && memory.configuration().is_data_locked())?;
            (memory.eeprom().slot(slot), length)
        }
        Message::TempKey(length) => {
            let TempKey { value, is_64, .. } = memory.volatile.temp_key()?;
            (&value[..if *is_64 { 64 } else { 32 }], length)
        }
        Message::Input(bytes) => (bytes, bytes.len()),
        Message::Special(bytes) => {
            let configuration = memory.configuration();
            let zone = configuration.as_bytes();
            let start = usize::from(zone[IV_LOCATION]);
            require(bytes.get(start..start + IV.len()) == Some(&zone[IV]))?;
            (bytes, bytes.len())
        }
    };
    if length == 0 {
        return Ok(Zeroizing::new(vec![0; 32]));
    }
    bytes.get(..length).map(|bytes| Zeroizing::new(bytes.to_vec())).ok_or(Status::ExecutionError)
}
