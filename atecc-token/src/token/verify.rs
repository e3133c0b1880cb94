//! Questions to the chip that change nothing.

use atecc::{Configuration, Digest, PublicKey, Signature};

use super::{Token, lock};
use crate::Error;

impl Token {
    /// Whether the chip finds that `signature` over `digest` was made with `key`.
    ///
    /// [`PublicKey::verify`] asks this machine instead, which is faster.
    ///
    /// # Errors
    /// When the chip does not answer, or the key is no point of the curve.
    pub fn verify(&self, key: &PublicKey, digest: &Digest, signature: &Signature) -> Result<bool, Error> {
        Ok(self.device().verify(key, digest, signature)?)
    }

    /// The configuration zone as it is now. Locks and counters may differ from [`Token::configuration`].
    ///
    /// # Errors
    /// When the chip does not answer.
    pub fn read_configuration(&self) -> Result<Configuration, Error> {
        let configuration = self.device().configuration()?;
        // Nobody asks for a block of it again.
        lock(&self.zone).recall(configuration.as_bytes());
        Ok(configuration)
    }

    /// Whether the chip that was opened answers now: not none, and not another. Costs one wake and one Read.
    pub fn is_present(&self) -> bool {
        self.presence().unwrap_or(false)
    }

    /// As [`is_present`](Self::is_present) for who has to know why not: false if another chip answers.
    ///
    /// # Errors
    /// When no chip answers ([`Error::is_absent`]), or it cannot be said now: another program holds the bus, or the
    /// answer is damaged.
    pub fn presence(&self) -> Result<bool, Error> {
        Ok(self.device().serial_number()? == self.serial_number())
    }
}
