//! SelfTest (section 5.1.7).

use atecc::{Status, packet::Packet};

use super::{Data, answer};
use crate::memory::Memory;

/// The engines: random numbers, ECDSA, ECDH, AES, SHA. The vendor's driver sets bit 1 too, which tests nothing.
const LEGAL: u8 = 0x3f;

/// Every engine that is tested passes, so its bit in the failure register is cleared. Mode 0 tests nothing and
/// shows the register.
pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let mode = packet.param1();
    if mode & !LEGAL != 0 || packet.param2() != 0 || !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    memory.volatile.failed_tests &= !mode;
    answer(&[if mode == 0 { memory.volatile.failed_tests } else { memory.volatile.failed_tests & mode }])
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    #[test]
    fn a_failed_engine_stops_the_chip_until_it_passes() {
        let mut bench = Bench::tng();
        assert_eq!(bench.data(0x77, 0x3b, 0, &[]), [0]);
        bench.memory.volatile.failed_tests = 0x10;
        assert_eq!(bench.status(0x1b, 0x00, 0, &[]), Status::SelfTestError);
        assert_eq!(bench.data(0x02, 0x80, 0, &[]).len(), 32);
        assert_eq!(bench.data(0x77, 0x00, 0, &[]), [0x10]);
        assert_eq!(bench.data(0x77, 0x3d, 0, &[]), [0]);
        assert_eq!(bench.data(0x1b, 0x00, 0, &[]).len(), 32);
    }
}
