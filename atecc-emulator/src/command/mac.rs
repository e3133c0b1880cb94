//! MAC (section 5.3.5).

use atecc::{Status, packet::Packet};

use super::{
    Data,
    access::{header, require, sha256, slot, symmetric_key, use_key},
    answer,
    volatile::TempKey,
};
use crate::memory::Memory;

/// Bit 0 of the mode: the second block is TempKey, and not a challenge from outside.
pub(super) const SECOND_TEMP_KEY: u8 = 0x01;
/// Bit 1: the first block is TempKey, and not a key.
pub(super) const FIRST_TEMP_KEY: u8 = 0x02;
/// Bit 2: must be as TempKey.SourceFlag.
const SOURCE_FLAG: u8 = 0x04;
/// Bit 6: the whole serial number takes part.
const SERIAL_NUMBER: u8 = 0x40;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let mode = packet.param1();
    let challenge_length = if mode & SECOND_TEMP_KEY != 0 { 0 } else { 32 };
    if mode & !(SECOND_TEMP_KEY | FIRST_TEMP_KEY | SOURCE_FLAG | SERIAL_NUMBER) != 0
        || packet.data().len() != challenge_length
    {
        return Err(Status::ParseError);
    }
    let temp_key = matching_temp_key(memory, mode)?;
    if let Some(temp_key) = &temp_key {
        require(!temp_key.is_no_mac)?;
    }
    let low = temp_key.as_ref().map(TempKey::low).unwrap_or_default();
    let first = if mode & FIRST_TEMP_KEY != 0 {
        low
    } else {
        let slot = slot(packet.param2())?;
        require(!memory.rules(slot).is_no_mac())?;
        keyed(memory, slot, mode, temp_key.as_ref())?
    };
    let second = if mode & SECOND_TEMP_KEY != 0 { &low[..] } else { packet.data() };

    let serial = memory.serial_number();
    let unique = if mode & SERIAL_NUMBER != 0 { serial } else { [0; 9] };
    answer(&sha256(&[
        &first,
        second,
        &header(packet),
        &[0; 11],
        &serial[8..],
        &unique[4..8],
        &serial[..2],
        &unique[2..4],
    ]))
}

/// TempKey, if the mode uses it; SourceFlag must be as bit 2 says.
pub(super) fn matching_temp_key(memory: &mut Memory, mode: u8) -> Result<Option<TempKey>, Status> {
    if mode & (FIRST_TEMP_KEY | SECOND_TEMP_KEY) == 0 {
        return Ok(None);
    }
    let temp_key = memory.volatile.take_temp_key()?;
    require(temp_key.is_input == (mode & SOURCE_FLAG != 0))?;
    Ok(Some(temp_key))
}

/// The symmetric key in `slot`, used with a challenge of this mode: KeyConfig.ReqRandom asks for one with a
/// random number of the chip.
pub(super) fn keyed(
    memory: &mut Memory,
    slot: atecc::Slot,
    mode: u8,
    temp_key: Option<&TempKey>,
) -> Result<[u8; 32], Status> {
    let rules = memory.rules(slot);
    require(!rules.is_marked_private())?;
    let is_random = mode & SECOND_TEMP_KEY != 0 && temp_key.is_some_and(|temp_key| !temp_key.is_input);
    require(!rules.needs_random() || is_random)?;
    let key = symmetric_key(memory, slot)?;
    use_key(memory, slot)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, sha};
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_data_sheet() {
        let mut bench = Bench::tng();
        bench.fill(8, &[0x88; 32]);
        let sn = bench.memory.serial_number();
        let challenge = [5; 32];
        for mode in [0x00, 0x01, 0x02, 0x40, 0x41, 0x42, 0x43] {
            let nonce = bench.random_nonce();
            let data: &[u8] = if mode & 1 == 0 { &challenge } else { &[] };
            let mac = bench.data(0x08, mode, 8, data);
            let unique = if mode & 0x40 != 0 { sn } else { [0; 9] };
            let expected = sha(&[
                if mode & 2 == 0 { &[0x88; 32] } else { &nonce },
                if mode & 1 == 0 { &challenge } else { &nonce },
                &[0x08, mode, 8, 0],
                &[0; 11],
                &sn[8..],
                &unique[4..8],
                &sn[..2],
                &unique[2..4],
            ]);
            assert_eq!(mac, expected, "mode {mode:02x}");
        }
    }

    #[test]
    fn the_source_flag_must_be_as_the_mode_says() {
        let mut bench = Bench::tng();
        bench.fixed_nonce(&[1; 32]);
        assert_eq!(bench.status(0x08, 0x01, 8, &[]), Status::ExecutionError);
        bench.fixed_nonce(&[1; 32]);
        assert_eq!(bench.data(0x08, 0x05, 8, &[]).len(), 32);
    }

    #[test]
    fn keys_that_ask_for_randomness_or_forbid_mac_are_refused() {
        let mut bench = Bench::tng();
        // Slot 6 has ReqRandom, slot 7 NoMac, slot 0 a private key.
        assert_eq!(bench.status(0x08, 0x00, 6, &[1; 32]), Status::ExecutionError);
        bench.random_nonce();
        assert_eq!(bench.data(0x08, 0x01, 6, &[]).len(), 32);
        assert_eq!(bench.status(0x08, 0x00, 7, &[1; 32]), Status::ExecutionError);
        assert_eq!(bench.status(0x08, 0x00, 0, &[1; 32]), Status::ExecutionError);
        // Nor may NoMac come in through GenDig.
        bench.random_nonce();
        bench.ok(0x15, 0x02, 7, &[0; 4]);
        assert_eq!(bench.status(0x08, 0x01, 8, &[]), Status::ExecutionError);
    }
}
