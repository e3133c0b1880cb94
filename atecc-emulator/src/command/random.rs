//! Random (section 5.1.5).

use atecc::{Status, packet::Packet};

use super::{Data, answer, random_bytes};
use crate::Eeprom;

pub(super) fn execute(packet: &Packet, eeprom: &Eeprom) -> Result<Data, Status> {
    if packet.param1() > 0x01 || packet.param2() != 0 || !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    if eeprom.configuration().is_configuration_locked() {
        return answer(&random_bytes()?);
    }
    // Before the configuration is locked the generator gives a fixed pattern.
    let mut pattern = [0x00; 32];
    pattern.chunks_exact_mut(4).for_each(|word| word[..2].fill(0xff));
    answer(&pattern)
}
