//! What can go wrong on the bus.

use core::fmt;

use crate::{Status, packet::GroupError};

/// Why a transaction on the bus did not take place. `B` is the error of the bus.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error<B> {
    /// A transfer failed.
    Bus(B),
    /// Nothing answered after the wake.
    NoAnswer {
        /// The seven-bit address that was called.
        address: u8,
        /// What the bus said last, if it was the bus.
        source: Option<B>,
    },
    /// The chip woke, but not with the answer of a healthy chip.
    Wake(Status),
    /// The chip was still busy after the longest time of this command.
    Timeout {
        /// The data sheet's name of the command.
        command: &'static str,
        /// What the bus said last.
        source: B,
    },
    /// An answer arrived damaged, twice, or it was none to this command.
    Damaged(GroupError),
    /// The transaction has more commands than [`MAX_COMMANDS`](crate::transport::MAX_COMMANDS).
    TooManyCommands,
    /// A conversation took too long: the watchdog would not have let this command finish. It was not sent.
    LeaseExpired {
        /// The data sheet's name of the command.
        command: &'static str,
    },
    /// The chip fell asleep in the middle of a conversation and forgot it; begin anew.
    SequenceLost(Status),
}

impl<B> Error<B> {
    /// Whether another try may succeed: everything but a chip that is not there and a wrong call.
    pub(super) const fn is_passing(&self) -> bool {
        !matches!(self, Self::NoAnswer { .. } | Self::TooManyCommands)
    }
}

impl<B: fmt::Debug> fmt::Display for Error<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bus(source) => write!(f, "the I2C transfer failed: {source:?}"),
            Self::NoAnswer { address, source } => {
                write!(
                    f,
                    "no chip answers at I2C address 0x{address:02x}; check power, wiring, the address, \
                     and that the bus runs at 100 kHz, which the wake pulse needs"
                )?;
                match source {
                    Some(source) => write!(f, " (the bus said {source:?})"),
                    None => Ok(()),
                }
            }
            Self::Wake(status) => write!(f, "the chip woke with a fault: {status}"),
            Self::Timeout { command, source } => {
                write!(f, "the chip did not finish {command} in its longest time; the bus said {source:?}")
            }
            Self::Damaged(error) => {
                write!(f, "the chip's answer was damaged on the bus ({error}); check wiring and pull-ups")
            }
            Self::TooManyCommands => f.write_str("too many commands for one transaction"),
            Self::LeaseExpired { command } => {
                write!(f, "the watchdog leaves no time for {command}; do less in one conversation")
            }
            Self::SequenceLost(status) => {
                write!(
                    f,
                    "the chip lost the sequence half way, nothing after it was done: {status}; try again"
                )
            }
        }
    }
}

impl<B: fmt::Debug> core::error::Error for Error<B> {}
