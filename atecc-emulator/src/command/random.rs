//! Random (section 5.1.5).

use atecc::{Status, packet::Packet};

use super::{Data, access::generator_output, answer};
use crate::memory::Memory;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    if packet.param1() > 0x01 || packet.param2() != 0 || !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    answer(&generator_output(memory)?)
}
