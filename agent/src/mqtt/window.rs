//! How many bytes may be on their way.

use std::time::Duration;

/// At least so many. At 32 kbit/s they take four seconds, so that neither an acknowledgement nor a keep-alive ping waits
/// behind them for long enough to be missed.
const LEAST: usize = 16 * 1024;
/// Where a connection begins.
const FIRST: usize = 64 * 1024;
/// At most so many: they are in memory.
const MOST: usize = 1024 * 1024;
/// An acknowledgement that takes longer says that too much is on its way.
const QUICK: Duration = Duration::from_secs(2);

/// Grows while acknowledgements come quickly and shrinks by half when they do not. A message that is larger goes alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window(usize);

impl Default for Window {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Window {
    /// Bytes that may be on their way now.
    pub(super) const fn bytes(self) -> usize {
        self.0
    }

    /// A message of this size was acknowledged after this time.
    pub(super) fn acknowledged(&mut self, size: usize, took: Duration) {
        self.0 = if took <= QUICK { (self.0 + size).min(MOST) } else { (self.0 / 2).max(LEAST) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_line() {
        let mut window = Window::default();
        for _ in 0..10 {
            window.acknowledged(1000, Duration::from_secs(3));
        }
        assert_eq!(window.bytes(), LEAST);
        for _ in 0..2000 {
            window.acknowledged(1000, Duration::from_millis(100));
        }
        assert_eq!(window.bytes(), MOST);
    }
}
