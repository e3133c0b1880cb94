//! Info (section 5.1.2).

use super::{Command, ExecutionTime, data};
use crate::{
    ResponseError,
    packet::{Packet, Response},
    zone::Revision,
};

/// Info in Revision mode (0x00): the silicon revision, four bytes (section 5.1.2.1).
#[derive(Clone, Copy, Debug)]
pub struct InfoRevision;

impl Command for InfoRevision {
    const NAME: &'static str = "Info";
    const OPCODE: u8 = 0x30;
    const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 500, longest_ms: [5, 5, 5] };
    type Output = Revision;

    fn packet(&self) -> Packet {
        Packet::new(Self::OPCODE, 0x00, 0x0000, &[], 4)
    }

    fn output(&self, response: &Response) -> Result<Revision, ResponseError> {
        data(response).map(Revision)
    }
}
