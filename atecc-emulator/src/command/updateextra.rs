//! UpdateExtra (section 5.1.9).

use atecc::{Status, packet::Packet};

use super::{Data, access::require, success};
use crate::memory::Memory;

/// UserExtra in the configuration zone; UserExtraAdd follows.
const USER_EXTRA: usize = 84;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let [value, 0x00] = packet.param2().to_le_bytes() else { return Err(Status::ParseError) };
    if packet.param1() > 0x01 || !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    let place = USER_EXTRA + usize::from(packet.param1());
    let configuration = memory.configuration();
    // Once, after the configuration was locked.
    require(!configuration.is_configuration_locked() || configuration.as_bytes()[place] == 0)?;
    memory.write_configuration(place, &[value]);
    success()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    #[test]
    fn each_byte_is_written_once() {
        let mut bench = Bench::tng();
        for mode in [0x00, 0x01] {
            bench.ok(0x20, mode, 0x00, &[]);
            bench.ok(0x20, mode, 0x55, &[]);
            assert_eq!(bench.status(0x20, mode, 0x66, &[]), Status::ExecutionError);
        }
        assert_eq!(bench.memory.configuration().as_bytes()[84..86], [0x55, 0x55]);
        assert_eq!(bench.status(0x20, 0x02, 0x66, &[]), Status::ParseError);
        assert_eq!(bench.status(0x20, 0x00, 0x166, &[]), Status::ParseError);
    }
}
