//! Lines: single bits that go out to something, or come in from it.
//!
//! [`Lines`] are all that the configuration names. Behind each is a line of the kernel (`kernel`), one of a Raspberry Pi
//! (`raspberry_pi`, with the feature `rppal`), or one that only exists in memory.

mod absent;
mod error;
mod input;
mod kernel;
mod lines;
mod node;
#[cfg(feature = "rppal")]
mod raspberry_pi;
mod simulated;

use std::io;

pub use error::Error;
pub use lines::{Change, Lines, Unfit};
pub use simulated::SimulatedLine;

/// One line.
pub trait Line: Send {
    /// Switches it.
    ///
    /// # Errors
    /// What the operating system says; [`Unsupported`](io::ErrorKind::Unsupported) for an input.
    fn set(&mut self, on: bool) -> io::Result<()>;

    /// Whether it is on: as it was set, or as it was seen last.
    fn is_on(&self) -> bool;

    /// Whether its hardware is there, as far as this can be told without disturbing it.
    fn is_there(&self) -> bool {
        true
    }
}
