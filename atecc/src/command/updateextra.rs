//! UpdateExtra (section 5.1.9). Longest times: 10 ms at every clock divider.

use super::{Command, ExecutionTime, success};
use crate::{
    ResponseError,
    irreversible::{Irreversible, SetsByteForEver},
    packet::{Packet, Response},
};

/// UpdateExtra: sets one of two bytes of the configuration zone that is still zero.
#[derive(Debug)]
pub struct UpdateExtra {
    /// Which.
    pub byte: ExtraByte,
    /// Its value for ever.
    pub value: u8,
    /// Consent.
    pub consent: Irreversible<SetsByteForEver>,
}

/// The bytes that UpdateExtra sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtraByte {
    /// UserExtra (byte 84): of no meaning to the chip.
    UserExtra,
    /// UserExtraAdd (byte 85): where ChipMode says so the I2C address, in its upper seven bits, from the next
    /// sleep on.
    UserExtraAdd,
}

impl Command for UpdateExtra {
    const NAME: &'static str = "UpdateExtra";
    const OPCODE: u8 = 0x20;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 5_000, longest_ms: [10, 10, 10] };
    type Output = ();

    fn packet(&self) -> Packet {
        let mode = match self.byte {
            ExtraByte::UserExtra => 0x00,
            ExtraByte::UserExtraAdd => 0x01,
        };
        Packet::new(Self::OPCODE, mode, u16::from(self.value), &[], 1)
    }

    fn output(&self, response: &Response) -> Result<(), ResponseError> {
        success(response)
    }
}
