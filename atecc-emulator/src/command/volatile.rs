//! The memory that sleep erases (section 3).

use atecc::{Slot, Status};
use zeroize::Zeroize;

use super::sha;

/// TempKey, the buffers, the SHA context, and what the chip knows of the present session.
#[derive(Debug, Default)]
pub(crate) struct Volatile {
    /// TempKey with its flags, if it is valid (section 3.1).
    pub(super) temp_key: Option<TempKey>,
    /// The Message Digest Buffer, if it was loaded (section 3.2).
    pub(super) message_digest_buffer: Option<DigestBuffer>,
    /// The Alternate Key Buffer, if it was loaded (section 3.3).
    pub(super) alternate_key: Option<KeyBuffer>,
    /// The SHA context, between Start and End (section 3.4).
    pub(super) sha: Option<sha::Context>,
    /// AuthComplete: the key that CheckMac has authorized (section 5.1.2.3).
    pub(super) authorized: Option<Slot>,
    /// The failure register of SelfTest: one bit for each engine (section 5.1.7).
    pub(crate) failed_tests: u8,
}

/// A valid TempKey.
#[derive(Clone)]
pub(super) struct TempKey {
    /// The lower 32 bytes, and the upper ones where a command fills both.
    pub(super) value: [u8; 64],
    /// Whether the upper 32 bytes are valid too.
    pub(super) is_64: bool,
    /// SourceFlag: whether the value came in from outside and holds no random number of the chip.
    pub(super) is_input: bool,
    /// What made it.
    pub(super) origin: Origin,
    /// NoMacFlag: whether a key took part that MAC must not use.
    pub(super) is_no_mac: bool,
}

/// GenDigData, GenKeyData and KeyID of TempKey, as far as they can occur together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Another command.
    Other,
    /// GenDig, with the data of this slot.
    GenDig(Slot),
    /// GenKey: the digest of the public key in this slot.
    GenKey(Slot),
    /// GenKey: an ephemeral private key, for ECDH only.
    PrivateKey,
}

impl TempKey {
    /// A TempKey of 32 or 64 bytes.
    pub(super) fn new(bytes: &[u8], is_input: bool) -> Self {
        let mut value = [0; 64];
        let length = bytes.len().min(64);
        value[..length].copy_from_slice(&bytes[..length]);
        Self { value, is_64: length > 32, is_input, origin: Origin::Other, is_no_mac: false }
    }

    /// The lower half.
    pub(super) fn low(&self) -> [u8; 32] {
        let mut low = [0; 32];
        low.copy_from_slice(&self.value[..32]);
        low
    }

    /// The same flags over another value of 32 bytes: what GenDig and GenKey leave behind.
    pub(super) fn replaced(&self, value: &[u8; 32], origin: Origin) -> Self {
        Self { origin, is_no_mac: self.is_no_mac, ..Self::new(value, self.is_input) }
    }

    /// The flags as one byte: NoMacFlag, GenKeyData, GenDigData, SourceFlag, KeyID (table 5-10). In this byte
    /// SourceFlag is clear for a random number, as section 3.1 has it.
    pub(super) fn flags(&self) -> u8 {
        let origin = match self.origin {
            Origin::Other | Origin::PrivateKey => 0,
            Origin::GenDig(slot) => 0x20 | slot.number(),
            Origin::GenKey(slot) => 0x40 | slot.number(),
        };
        u8::from(self.is_no_mac) << 7 | u8::from(self.is_input) << 4 | origin
    }
}

impl Drop for TempKey {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

impl core::fmt::Debug for TempKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TempKey").field("flags", &self.flags()).finish_non_exhaustive()
    }
}

/// A filled Message Digest Buffer.
#[derive(Clone)]
pub(super) struct DigestBuffer {
    /// A digest, or a digest and a nonce of the system.
    pub(super) value: [u8; 64],
    /// Whether the upper 32 bytes were loaded.
    pub(super) is_64: bool,
}

impl core::fmt::Debug for DigestBuffer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("DigestBuffer").field("is_64", &self.is_64).finish_non_exhaustive()
    }
}

/// A filled Alternate Key Buffer.
#[derive(Clone)]
pub(super) struct KeyBuffer(pub(super) [u8; 32]);

impl Drop for KeyBuffer {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl core::fmt::Debug for KeyBuffer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("KeyBuffer([REDACTED])")
    }
}

impl Volatile {
    /// TempKey as a digest or nonce, if it is valid; it stays.
    ///
    /// # Errors
    /// When it is not valid, or holds a private key, which only ECDH may use.
    pub(super) fn temp_key(&self) -> Result<&TempKey, Status> {
        self.temp_key
            .as_ref()
            .filter(|temp_key| temp_key.origin != Origin::PrivateKey)
            .ok_or(Status::ExecutionError)
    }

    /// TempKey as a digest or nonce. Using it clears it (section 3.1).
    ///
    /// # Errors
    /// As with [`temp_key`](Self::temp_key).
    pub(super) fn take_temp_key(&mut self) -> Result<TempKey, Status> {
        self.temp_key()?;
        self.temp_key.take().ok_or(Status::ExecutionError)
    }
}
