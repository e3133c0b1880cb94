//! The memory that sleep erases (section 3).

/// TempKey and the Message Digest Buffer.
#[derive(Debug, Default)]
pub(crate) struct Volatile {
    /// TempKey with its flags, if it is valid (section 3.1).
    pub(super) temp_key: Option<TempKey>,
    /// The Message Digest Buffer, if it was loaded (section 3.2).
    pub(super) message_digest_buffer: Option<[u8; 64]>,
}

/// A valid TempKey.
#[derive(Clone)]
pub(super) struct TempKey {
    /// The lower 32 bytes, and the upper ones where a command fills both.
    pub(super) value: [u8; 64],
    /// SourceFlag: whether the value came in from outside and holds no random number of the chip.
    pub(super) is_input: bool,
}

impl core::fmt::Debug for TempKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TempKey").field("is_input", &self.is_input).finish_non_exhaustive()
    }
}

impl Volatile {
    /// Takes the digest that Sign and Verify work on from the place that bit 5 of their mode names. Taking
    /// empties the place: it can be used once (sections 3.1 and 3.2).
    pub(super) fn take_digest(&mut self, mode: u8) -> Option<[u8; 32]> {
        let value = if mode & 0x20 != 0 {
            self.message_digest_buffer.take()
        } else {
            self.temp_key.take().map(|temp_key| temp_key.value)
        }?;
        value.first_chunk().copied()
    }
}
