//! What can go wrong between a typed command and its typed response.

use core::fmt;

use crate::Status;

/// Why a [`Device`](crate::Device) call failed. `E` is the transport's error.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error<E> {
    /// The transaction did not take place: no chip, a broken bus, a damaged answer.
    Transport(E),
    /// The chip answered, but not with the result that was asked for.
    Response {
        /// The data sheet's name of the command.
        command: &'static str,
        /// What it answered.
        source: ResponseError,
    },
    /// The chip's answer carries a MAC that does not match: the answer was forged on its way, or the host has
    /// another IO protection key than the chip.
    WrongMac {
        /// The data sheet's name of the command.
        command: &'static str,
    },
}

/// An answer that is not the result of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseError {
    /// The chip refused or failed, and said why.
    Status(Status),
    /// The answer has another length than the command's result; the chip or the link is not what we think.
    Length {
        /// Data bytes that the data sheet promises.
        expected: usize,
        /// Data bytes that came.
        received: usize,
    },
    /// The transport returned fewer answers than commands, without an error status.
    Missing,
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => status.fmt(f),
            Self::Length { expected, received } => {
                write!(
                    f,
                    "expected {expected} bytes from the chip and received {received}; is this an ATECC608?"
                )
            }
            Self::Missing => f.write_str("the chip's answer is missing"),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(error) => error.fmt(f),
            Self::Response { command, source } => write!(f, "{command}: {source}"),
            Self::WrongMac { command } => write!(
                f,
                "{command}: the MAC of the answer is wrong; \
                 the IO protection key is not that of the chip, or the answer was forged"
            ),
        }
    }
}

impl core::error::Error for ResponseError {}

impl<E: core::error::Error + 'static> core::error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Transport(error) => Some(error),
            Self::Response { source, .. } => Some(source),
            Self::WrongMac { .. } => None,
        }
    }
}
