//! Random (section 5.1.5).

use super::{Command, ExecutionTime, data};
use crate::{
    ResponseError,
    packet::{Packet, Response},
};

/// Random: 32 bytes from the chip's NIST SP 800-90 generator, whose seed it renews (section 5.1.5).
#[derive(Clone, Copy, Debug)]
pub struct Random;

impl Command for Random {
    const NAME: &'static str = "Random";
    const OPCODE: u8 = 0x1b;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 12_000, longest_ms: [23, 23, 23] };
    type Output = [u8; 32];

    fn packet(&self) -> Packet {
        Packet::new(Self::OPCODE, 0x00, 0x0000, &[], 32)
    }

    fn output(&self, response: &Response) -> Result<[u8; 32], ResponseError> {
        data(response)
    }
}
