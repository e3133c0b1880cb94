//! The one-byte answers of the chip (section 4.3, table 4-3).

use core::fmt;

/// What a four-byte group says: how the last command ended, or that the chip has just woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// 0x00: the command was executed.
    Success,
    /// 0x01: CheckMac or Verify ran, and the signature or response does not match.
    Miscompare,
    /// 0x03: the length, opcode or a parameter is illegal in any state of the chip.
    ParseError,
    /// 0x05: the elliptic-curve computation failed; the same command may succeed when repeated.
    EccFault,
    /// 0x07: a self test failed and the chip refuses to work until it is cleared.
    SelfTestError,
    /// 0x08: the random number generator failed its health test; commands that need it are refused.
    HealthTestError,
    /// 0x0F: the command is legal, but not in the present state or configuration of the chip.
    ExecutionError,
    /// 0x11: the chip woke and no command has run since.
    AfterWake,
    /// 0xEE: too little time is left before the watchdog puts the chip to sleep.
    WatchdogAboutToExpire,
    /// 0xFF: the packet arrived damaged; nothing was executed.
    CommunicationError,
    /// A code that the data sheet does not list.
    Unknown(u8),
}

impl Status {
    /// The status that `code`, the one data byte of a four-byte group, stands for.
    pub const fn from_code(code: u8) -> Self {
        match code {
            0x00 => Self::Success,
            0x01 => Self::Miscompare,
            0x03 => Self::ParseError,
            0x05 => Self::EccFault,
            0x07 => Self::SelfTestError,
            0x08 => Self::HealthTestError,
            0x0f => Self::ExecutionError,
            0x11 => Self::AfterWake,
            0xee => Self::WatchdogAboutToExpire,
            0xff => Self::CommunicationError,
            other => Self::Unknown(other),
        }
    }

    /// The byte that stands for this status on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0x00,
            Self::Miscompare => 0x01,
            Self::ParseError => 0x03,
            Self::EccFault => 0x05,
            Self::SelfTestError => 0x07,
            Self::HealthTestError => 0x08,
            Self::ExecutionError => 0x0f,
            Self::AfterWake => 0x11,
            Self::WatchdogAboutToExpire => 0xee,
            Self::CommunicationError => 0xff,
            Self::Unknown(code) => code,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Success => "success",
            Self::Miscompare => "the signature or response does not match",
            Self::ParseError => "the chip does not know this command or parameter (parse error)",
            Self::EccFault => "an elliptic-curve computation failed in the chip; try again",
            Self::SelfTestError => "the chip failed its self test and refuses to work; power it off and on",
            Self::HealthTestError => {
                "the chip's random number generator failed its health test; power it off and on"
            }
            Self::ExecutionError => {
                "the chip's configuration or present state forbids this (execution error); \
                 see the slot's access rules"
            }
            Self::AfterWake => "the chip woke in the middle of the transaction and forgot what it was given",
            Self::WatchdogAboutToExpire => "the chip was about to fall asleep (watchdog); try again",
            Self::CommunicationError => {
                "the chip received a damaged packet; check the wiring and the pull-up resistors"
            }
            Self::Unknown(code) => return write!(f, "unknown status 0x{code:02x}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Status;

    #[test]
    fn every_code_survives_the_round_trip() {
        for code in 0..=u8::MAX {
            assert_eq!(Status::from_code(code).code(), code);
        }
    }
}
