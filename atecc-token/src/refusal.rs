//! A chip that could, and a device around it that did not let it.

use atecc::{command, link};

use crate::bus::TransportError;

/// Why the device that holds the chip (a bridge with a policy, docs/link.md) kept a command from it. The chip was not
/// spoken to, and is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Its policy forbids the command, whoever asks.
    #[error(
        "the policy of the device with the chip does not let {} through; it can be opened at the device itself only, \
         by who may do so",
        command::name(*opcode)
    )]
    Policy {
        /// The command's opcode.
        opcode: u8,
    },
    /// Somebody at the device said no.
    #[error(
        "somebody at the device with the chip denied this request; if that was a mistake, try again and allow it there"
    )]
    Denied,
    /// Nobody touched the device in time.
    #[error("nobody touched the device with the chip in time; try again, and touch it when it asks")]
    NotTouched,
    /// The request was taken back, or another one came, while the device waited for a touch.
    #[error(
        "the device with the chip was waiting for a touch when another request came, and dropped this one; try again \
         when no other program uses it"
    )]
    Cancelled,
}

impl Refusal {
    /// Whether the same request may be granted if it is made again and somebody is at the device.
    ///
    /// In contrast to a no, of the policy or of a person, which stands.
    pub const fn is_unattended(&self) -> bool {
        matches!(self, Self::NotTouched | Self::Cancelled)
    }

    /// The refusal that a transport reports, if its error is one.
    pub(crate) const fn of(error: &TransportError) -> Option<Self> {
        use link::{Error, Fault};
        match error {
            TransportError::Link(Error::Fault(Fault::Refused { opcode })) => {
                Some(Self::Policy { opcode: *opcode })
            }
            TransportError::Link(Error::Fault(Fault::Denied)) => Some(Self::Denied),
            TransportError::Link(Error::Fault(Fault::NotTouched)) => Some(Self::NotTouched),
            TransportError::Link(Error::Fault(Fault::Cancelled) | Error::Cancelled) => Some(Self::Cancelled),
            _ => None,
        }
    }
}
