//! CheckMac (section 5.3.2). Longest times: 40 ms at every clock divider.

use super::{Command, ExecutionTime, MacInput, matched};
use crate::{
    ResponseError,
    packet::{Packet, Response},
};

/// CheckMac: whether another chip with the same key gave the right answer to MAC (tables 5-63 to 5-65).
#[derive(Clone, Copy, Debug)]
pub struct CheckMac<'a> {
    /// The two halves of the message.
    pub input: MacInput<'a>,
    /// What the other chip answered.
    pub response: &'a [u8; 32],
    /// What the other chip hashed beside: see [`crate::host::mac::other_data`].
    pub other_data: &'a [u8; 13],
}

impl Command for CheckMac<'_> {
    const NAME: &'static str = "CheckMac";
    const OPCODE: u8 = 0x28;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 5_000, longest_ms: [40, 40, 40] };
    /// Whether the answer is right.
    type Output = bool;

    fn packet(&self) -> Packet {
        // The challenge is ignored in some modes, but it must be there.
        let challenge = self.input.challenge().unwrap_or(&[0; 32]);
        let data: [&[u8]; 3] = [challenge, self.response, self.other_data];
        Packet::new(Self::OPCODE, self.input.mode(), self.input.key_id(), &data, 1)
    }

    fn output(&self, response: &Response) -> Result<bool, ResponseError> {
        matched(response)
    }
}
