//! What the protocol runs over.

use core::time::Duration;

/// A byte stream with a clock.
///
/// The traits of embedded-io have no read that ends after a while, without which nothing here could keep its
/// limits. An implementation for a UART or a socket has a few lines.
pub trait Stream {
    /// What can fail. After an error the stream is of no more use.
    type Error;

    /// Reads what is there into `buffer`, and waits up to `limit` for the first byte. Returns the number of
    /// bytes, and zero only when `limit` has passed.
    ///
    /// # Errors
    /// When the other end is gone or the stream is broken.
    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> Result<usize, Self::Error>;

    /// Writes all of `bytes` and does not keep them back. It must not block for ever.
    ///
    /// # Errors
    /// When the other end is gone or takes nothing any more.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;

    /// The time since any fixed moment.
    fn now(&mut self) -> Duration;

    /// Whether the stream is a line that can run at `rate` baud. One without a rate says no.
    fn has_rate(&mut self, rate: u32) -> bool {
        let _ = rate;
        false
    }

    /// Runs the line at `rate` baud, after all that was written has left. Called with rates only that
    /// [`has_rate`](Self::has_rate) said yes to, and [`BASE_RATE`](super::BASE_RATE).
    ///
    /// # Errors
    /// When the line refuses.
    fn set_rate(&mut self, rate: u32) -> Result<(), Self::Error> {
        let _ = rate;
        Ok(())
    }
}

impl<S: Stream + ?Sized> Stream for &mut S {
    type Error = S::Error;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> Result<usize, Self::Error> {
        (**self).read(buffer, limit)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        (**self).write(bytes)
    }

    fn now(&mut self) -> Duration {
        (**self).now()
    }

    fn has_rate(&mut self, rate: u32) -> bool {
        (**self).has_rate(rate)
    }

    fn set_rate(&mut self, rate: u32) -> Result<(), Self::Error> {
        (**self).set_rate(rate)
    }
}
