//! Counter (section 5.1.1). Longest times: 25 ms at every clock divider.

use super::{Command, ExecutionTime, data};
use crate::{
    ResponseError,
    irreversible::{IncrementsCounter, Irreversible},
    packet::{Packet, Response},
    zone::CounterId,
};

const OPCODE: u8 = 0x24;
const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 5_000, longest_ms: [25, 25, 25] };

/// Counter in read mode (0x00).
#[derive(Clone, Copy, Debug)]
pub struct CounterRead {
    /// Which of the two.
    pub counter: CounterId,
}

/// Counter in increment mode (0x01). If the power fails meanwhile, the counter may move by more than one.
#[derive(Debug)]
pub struct CounterIncrement {
    /// Which of the two.
    pub counter: CounterId,
    /// Consent.
    pub consent: Irreversible<IncrementsCounter>,
}

impl Command for CounterRead {
    const NAME: &'static str = "Counter";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    /// 0 to 2,097,151.
    type Output = u32;

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, 0x00, self.counter as u16, &[], 4)
    }

    fn output(&self, response: &Response) -> Result<u32, ResponseError> {
        data(response).map(u32::from_le_bytes)
    }
}

impl Command for CounterIncrement {
    const NAME: &'static str = "Counter";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    /// The new value, 1 to 2,097,151.
    type Output = u32;

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, 0x01, self.counter as u16, &[], 4)
    }

    fn output(&self, response: &Response) -> Result<u32, ResponseError> {
        data(response).map(u32::from_le_bytes)
    }
}
