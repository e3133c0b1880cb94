//! What can go wrong between the near end and the chip.

use core::fmt;

use crate::link::{AsFault, Fault, VERSION};

/// Why a transaction over the link did not take place. `E` is the stream's error.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error<E> {
    /// The stream broke. Open it anew.
    Stream(E),
    /// Nobody who speaks this protocol answers.
    NoBridge,
    /// The far end speaks another version of it.
    Version {
        /// Theirs.
        theirs: u8,
    },
    /// The far end answered before, and does not answer this request.
    NoAnswer {
        /// How long it was waited for, in milliseconds.
        waited_ms: u32,
    },
    /// The far end says why it has no answer.
    Fault(Fault),
    /// The request was cancelled, and the far end did not say what became of it.
    Cancelled,
    /// The transaction is longer than a frame, or than the far end takes.
    TooLarge,
    /// The answer is whole, but does not fit the request.
    Damaged,
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(error) => write!(f, "the line to the bridge broke: {error}"),
            Self::NoBridge => f.write_str(
                "no bridge answers on this line; is the firmware on the device, the rate right, and no other \
                 program on the port?",
            ),
            Self::Version { theirs } => write!(
                f,
                "the bridge speaks version {theirs} of the protocol and this program version {VERSION}; \
                 update the older one"
            ),
            Self::NoAnswer { waited_ms } => {
                write!(f, "the bridge did not answer within {waited_ms} ms; pull the device and put it back")
            }
            Self::Fault(fault) => fault.fmt(f),
            Self::Cancelled => f.write_str("the request was cancelled"),
            Self::TooLarge => f.write_str("the transaction is too long for the bridge"),
            Self::Damaged => f.write_str("the bridge's answer does not fit the request; update its firmware"),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Stream(error) => Some(error),
            Self::Fault(fault) => Some(fault),
            _ => None,
        }
    }
}

/// For an end that passes on what it got over a link of its own.
impl<E> AsFault for Error<E> {
    fn as_fault(&self) -> Fault {
        match self {
            Self::Fault(fault) => *fault,
            Self::Stream(_) | Self::NoBridge | Self::Version { .. } => Fault::NoChip,
            Self::NoAnswer { .. } => Fault::Forgotten,
            Self::Cancelled => Fault::Cancelled,
            Self::TooLarge => Fault::TooLarge,
            Self::Damaged => Fault::Damaged,
        }
    }
}
