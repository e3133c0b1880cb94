//! Values that must not be left behind in memory or in a log.

use core::fmt;

use zeroize::Zeroize;

/// `N` secret bytes: a key that the host shares with the chip, or one that the chip gave.
///
/// Dropping it overwrites it, and it prints as `[REDACTED]`.
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// The secret with these bytes. The caller's own copy is the caller's to wipe.
    pub const fn from_bytes(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// The bytes themselves.
    pub const fn as_bytes(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(std::format!("{:?}", Secret::from_bytes([0x41; 32])), "[REDACTED]");
    }
}
