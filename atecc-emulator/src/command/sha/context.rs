//! A SHA-256 digest whose state can be taken out and put back (section 5.1.8.3).

use heapless::Vec;
use sha2::block_api::compress256;

use super::super::Data;

/// Bytes of the context besides the message that waits: its length, the state, four reserved ones.
const FIXED: usize = 40;
/// The initial state (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The state after all whole blocks, and the bytes that wait for theirs to be whole.
#[derive(Clone)]
pub(crate) struct Sha256Context {
    state: [u32; 8],
    length: u32,
    waiting: Vec<u8, 64>,
}

impl Default for Sha256Context {
    fn default() -> Self {
        Self { state: INITIAL, length: 0, waiting: Vec::new() }
    }
}

impl Sha256Context {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.length = self.length.wrapping_add(bytes.len() as u32);
        self.absorb(bytes);
    }

    pub(super) fn finish(mut self) -> [u8; 32] {
        let bits = u64::from(self.length) * 8;
        self.absorb(&[0x80]);
        while self.waiting.len() != 56 {
            self.absorb(&[0x00]);
        }
        self.absorb(&bits.to_be_bytes());
        let mut digest = [0; 32];
        for (place, word) in digest.chunks_exact_mut(4).zip(self.state) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }

    /// What Read_Context gives. The data sheet fixes its length and that the low six bits of its first byte
    /// are the number of waiting bytes; the rest of the layout is this chip's own.
    pub(super) fn to_bytes(&self) -> Data {
        let state = self.state.iter().flat_map(|word| word.to_be_bytes());
        let length = self.length.to_le_bytes();
        length.into_iter().chain(state).chain([0; 4]).chain(self.waiting.iter().copied()).collect()
    }

    /// The context in these bytes, if its length is right.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (fixed, waiting) = bytes.split_first_chunk::<FIXED>()?;
        let (length, rest) = fixed.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length);
        let mut state = [0; 8];
        for (word, bytes) in state.iter_mut().zip(rest.chunks_exact(4)) {
            *word = u32::from_be_bytes(bytes.try_into().ok()?);
        }
        let is_whole = waiting.len() == (length % 64) as usize;
        is_whole.then_some(Self { state, length, waiting: Vec::from_slice(waiting).ok()? })
    }

    fn absorb(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            // There is room: a full block leaves at once.
            let _ = self.waiting.push(byte);
            if let Ok(block) = <[u8; 64]>::try_from(&self.waiting[..]) {
                compress256(&mut self.state, &[block]);
                self.waiting.clear();
            }
        }
    }
}
