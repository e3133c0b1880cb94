//! Why the far end has no answer, as it goes over the wire.

use core::fmt;

use crate::{Status, command, i2c};

/// What the far end says instead of an answer. On the wire: a code and one byte of detail.
///
/// Codes are never reused; an end that does not know one shows its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// 1: it does not know this kind of request or one of its flags.
    Unsupported,
    /// 2: the frame is whole, but what it holds is no request.
    Malformed,
    /// 3: the request or its answer is longer than the far end takes.
    TooLarge,
    /// 4: no chip answers there.
    NoChip,
    /// 5: the chip woke with this status instead of the one of a healthy chip.
    Wake(Status),
    /// 6: the bus between far end and chip failed.
    Bus,
    /// 7: the chip did not finish the command with this opcode in its longest time.
    Timeout {
        /// The command's opcode.
        opcode: u8,
    },
    /// 8: the chip's answer was damaged between chip and far end.
    Damaged,
    /// 9: the lease of the chip was over before this request.
    LeaseExpired,
    /// 10: the chip fell asleep in the middle of a lease.
    SequenceLost(Status),
    /// 11: the far end does not let the command with this opcode through to the chip.
    Refused {
        /// The command's opcode.
        opcode: u8,
    },
    /// 12: nobody touched the device in time.
    NotTouched,
    /// 13: somebody at the device said no.
    Denied,
    /// 14: the request was cancelled, or another one came, before it began.
    Cancelled,
    /// 15: a repeated request that the far end does not remember, so it may have been executed or not.
    Forgotten,
    /// 16: the far end is busy with somebody else, or shuts down.
    Busy,
    /// A code that this version does not know.
    Unknown {
        /// The code.
        code: u8,
    },
}

impl Fault {
    /// Code and detail.
    pub const fn to_bytes(self) -> [u8; 2] {
        match self {
            Self::Unsupported => [1, 0],
            Self::Malformed => [2, 0],
            Self::TooLarge => [3, 0],
            Self::NoChip => [4, 0],
            Self::Wake(status) => [5, status.code()],
            Self::Bus => [6, 0],
            Self::Timeout { opcode } => [7, opcode],
            Self::Damaged => [8, 0],
            Self::LeaseExpired => [9, 0],
            Self::SequenceLost(status) => [10, status.code()],
            Self::Refused { opcode } => [11, opcode],
            Self::NotTouched => [12, 0],
            Self::Denied => [13, 0],
            Self::Cancelled => [14, 0],
            Self::Forgotten => [15, 0],
            Self::Busy => [16, 0],
            Self::Unknown { code } => [code, 0],
        }
    }

    /// The fault with this code and detail.
    pub const fn from_bytes([code, detail]: [u8; 2]) -> Self {
        match code {
            1 => Self::Unsupported,
            2 => Self::Malformed,
            3 => Self::TooLarge,
            4 => Self::NoChip,
            5 => Self::Wake(Status::from_code(detail)),
            6 => Self::Bus,
            7 => Self::Timeout { opcode: detail },
            8 => Self::Damaged,
            9 => Self::LeaseExpired,
            10 => Self::SequenceLost(Status::from_code(detail)),
            11 => Self::Refused { opcode: detail },
            12 => Self::NotTouched,
            13 => Self::Denied,
            14 => Self::Cancelled,
            15 => Self::Forgotten,
            16 => Self::Busy,
            code => Self::Unknown { code },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsupported => "the bridge does not know this request; update its firmware",
            Self::Malformed => "the bridge did not understand the request",
            Self::TooLarge => "the request is too long for the bridge",
            Self::NoChip => "no chip answers behind the bridge; check the wiring of the chip",
            Self::Wake(status) => return write!(f, "the chip behind the bridge woke with a fault: {status}"),
            Self::Bus => "the I2C bus behind the bridge failed; check its wiring and pull-ups",
            Self::Timeout { opcode } => {
                return write!(
                    f,
                    "the chip behind the bridge did not finish {} in its longest time",
                    command::name(*opcode)
                );
            }
            Self::Damaged => {
                "the chip's answer was damaged on the bus behind the bridge; check wiring and pull-ups"
            }
            Self::LeaseExpired => "the bridge took too long between commands that belong together; try again",
            Self::SequenceLost(status) => {
                return write!(f, "the chip behind the bridge fell asleep between commands: {status}");
            }
            Self::Refused { opcode } => {
                return write!(
                    f,
                    "the bridge does not let {} through to the chip; its policy can be opened at the device only",
                    command::name(*opcode)
                );
            }
            Self::NotTouched => "nobody touched the device in time; try again and touch it when it asks",
            Self::Denied => "somebody denied the request at the device; if that was a mistake, try again and allow it there",
            Self::Cancelled => "the request was cancelled, or another one came, before it began; try again",
            Self::Forgotten => {
                "the line lost a request that must not be repeated; whether it was executed is not known"
            }
            Self::Busy => "the bridge is busy; try again",
            Self::Unknown { code } => {
                return write!(f, "the bridge reports fault {code}, which this version does not know");
            }
        })
    }
}

impl core::error::Error for Fault {}

/// A transport's error as the far end reports it.
pub trait AsFault {
    /// What it is called on the wire.
    fn as_fault(&self) -> Fault;
}

impl AsFault for Fault {
    fn as_fault(&self) -> Fault {
        *self
    }
}

impl AsFault for core::convert::Infallible {
    fn as_fault(&self) -> Fault {
        match *self {}
    }
}

impl<B> AsFault for i2c::Error<B> {
    fn as_fault(&self) -> Fault {
        match self {
            Self::Bus(_) => Fault::Bus,
            Self::NoAnswer { .. } => Fault::NoChip,
            Self::Wake(status) => Fault::Wake(*status),
            Self::Timeout { command, .. } => Fault::Timeout { opcode: opcode(command) },
            Self::Damaged(_) => Fault::Damaged,
            Self::TooManyCommands => Fault::TooLarge,
            Self::LeaseExpired { .. } => Fault::LeaseExpired,
            Self::SequenceLost(status) => Fault::SequenceLost(*status),
        }
    }
}

/// The opcode of the command that the data sheet calls `name`; 0, which no command has, if there is none.
fn opcode(name: &str) -> u8 {
    (0..=u8::MAX).find(|opcode| command::name(*opcode) == name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_round_trip() {
        for code in 0..=u8::MAX {
            for detail in [0, 0x0f, 0x41] {
                let fault = Fault::from_bytes([code, detail]);
                assert_eq!(fault.to_bytes()[0], code);
                assert_eq!(Fault::from_bytes(fault.to_bytes()), fault);
            }
        }
    }
}
