//! GenDig (section 5.3.3).

use atecc::{Slot, Status, packet::Packet};

use super::{
    Data,
    access::{framed, header, require, sha256, slot, symmetric_key, use_key},
    counter, success,
    volatile::{Origin, TempKey},
};
use crate::memory::Memory;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let temp_key = memory.volatile.temp_key().cloned();
    let (digest, origin, is_no_mac) = match packet.param1() {
        0x00 => (zone(packet, memory, &temp_key?)?, Origin::Other, false),
        0x01 => (otp(packet, memory, &temp_key?)?, Origin::Other, false),
        0x02 => {
            let slot = slot(packet.param2())?;
            (data(packet, memory, &temp_key?, slot)?, Origin::GenDig(slot), memory.rules(slot).is_no_mac())
        }
        0x03 => (shared_nonce(packet, memory, &temp_key?)?, Origin::Other, false),
        0x04 => (count(packet, memory, &temp_key?)?, Origin::Other, false),
        0x05 => (key_configuration(packet, memory, &temp_key?)?, Origin::Other, false),
        _ => return Err(Status::ParseError),
    };
    let before = memory.volatile.take_temp_key()?;
    let mut after = before.replaced(&digest, origin);
    after.is_no_mac |= is_no_mac;
    memory.volatile.temp_key = Some(after);
    success()
}

/// A block of the configuration zone (section 5.3.3.1).
fn zone(packet: &Packet, memory: &Memory, temp_key: &TempKey) -> Result<[u8; 32], Status> {
    let configuration = memory.configuration();
    if packet.param2() > 3 || !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    require(configuration.is_configuration_locked())?;
    let start = usize::from(packet.param2()) * 32;
    let block = &configuration.as_bytes()[start..start + 32];
    Ok(framed(memory, block, header(packet), 25, &temp_key.low()))
}

/// A block of the OTP zone (section 5.3.3.2). The mode in the digest is the mode of the command; the table of
/// the data sheet shows another one.
fn otp(packet: &Packet, memory: &Memory, temp_key: &TempKey) -> Result<[u8; 32], Status> {
    if packet.param2() > 1 || !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    require(memory.configuration().is_data_locked())?;
    let start = usize::from(packet.param2()) * 32;
    let block = memory.eeprom().otp().get(start..start + 32).ok_or(Status::ParseError)?;
    Ok(framed(memory, block, header(packet), 25, &temp_key.low()))
}

/// The first 32 bytes of a slot (section 5.3.3.3). Before the data zone is locked they may serve as the key of
/// an encrypted write.
fn data(packet: &Packet, memory: &mut Memory, temp_key: &TempKey, slot: Slot) -> Result<[u8; 32], Status> {
    let configuration = memory.configuration();
    let rules = memory.rules(slot);
    if !matches!(packet.data().len(), 0 | 4) {
        return Err(Status::ParseError);
    }
    require(configuration.is_configuration_locked() && !rules.is_marked_private())?;
    require(!rules.needs_random() || !temp_key.is_input)?;
    let header = match (rules.is_no_mac(), packet.data()) {
        (false, _) => header(packet),
        (true, &[a, b, c, d]) => [a, b, c, d],
        (true, _) => return Err(Status::ExecutionError),
    };
    let key = symmetric_key(memory, slot)?;
    if configuration.is_data_locked() {
        use_key(memory, slot)?;
    }
    Ok(framed(memory, &key, header, 25, &temp_key.low()))
}

/// A nonce from another device (section 5.3.3.4); bit 15 of KeyID says which of the two comes first.
///
/// No slot takes part, so GenDigData stays clear, whatever the notes to table 5-76 say: with it, anybody could
/// pass a value from outside for one that was made with a key.
fn shared_nonce(packet: &Packet, memory: &Memory, temp_key: &TempKey) -> Result<[u8; 32], Status> {
    let input: &[u8; 32] = packet.data().try_into().map_err(|_| Status::ParseError)?;
    let header = [packet.opcode(), packet.param1(), packet.param2().to_le_bytes()[0], 0x00];
    let low = temp_key.low();
    let (first, last) = if packet.param2() & 0x8000 != 0 { (&low, input) } else { (input, &low) };
    Ok(framed(memory, first, header, 25, last))
}

/// A monotonic counter (section 5.3.3.5).
fn count(packet: &Packet, memory: &Memory, temp_key: &TempKey) -> Result<[u8; 32], Status> {
    if packet.param2() > 1 || !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    let count = counter::value(memory, packet.param2() == 1).to_le_bytes();
    Ok(described(packet, memory, &[&[0x00], &count, &[0; 20]], temp_key))
}

/// SlotConfig, KeyConfig and the lock of a slot (section 5.3.3.6).
fn key_configuration(packet: &Packet, memory: &Memory, temp_key: &TempKey) -> Result<[u8; 32], Status> {
    let slot = slot(packet.param2())?;
    if !packet.data().is_empty() {
        return Err(Status::ParseError);
    }
    require(memory.configuration().is_configuration_locked())?;
    let rules = memory.rules(slot);
    let is_unlocked = [u8::from(!rules.is_slot_locked())];
    Ok(described(packet, memory, &[&[0x00], &rules.raw(), &is_unlocked, &[0; 19]], temp_key))
}

/// The digest of 25 bytes that are not from a slot: zeros stand where the data of a slot would.
///
/// Table 5-83 has TempKey first and not last; the vendor's driver computes it like this.
fn described(packet: &Packet, memory: &Memory, description: &[&[u8]], temp_key: &TempKey) -> [u8; 32] {
    let serial = memory.serial_number();
    let description = description.concat();
    sha256(&[&[0; 32], &header(packet), &serial[8..], &serial[..2], &description, &temp_key.low()])
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, sha};
    use super::*;

    #[test]
    fn the_digests_are_those_of_the_data_sheet() {
        let mut bench = Bench::tng();
        bench.fill(8, &[0x88; 32]);
        let zone = bench.memory.configuration();
        let otp = bench.memory.eeprom().otp().to_vec();
        let cases: [(u8, u16, &[u8], Vec<u8>); 5] = [
            (0x00, 2, &[], zone.as_bytes()[64..96].to_vec()),
            (0x01, 0, &[], otp[..32].to_vec()),
            (0x01, 1, &[], otp[32..].to_vec()),
            (0x02, 8, &[], vec![0x88; 32]),
            (0x03, 4, &[0x17; 32], vec![0x17; 32]),
        ];
        for (mode, key, input, first) in cases {
            let nonce = bench.random_nonce();
            bench.ok(0x15, mode, key, input);
            let expected = bench.framed(&first, [0x15, mode, key as u8, 0], 25, &nonce);
            assert_eq!(bench.memory.volatile.temp_key().unwrap().low(), expected, "mode {mode}");
        }
    }

    #[test]
    fn a_shared_nonce_the_other_way_round() {
        let mut bench = Bench::tng();
        let nonce = bench.random_nonce();
        bench.ok(0x15, 0x03, 0x8004, &[0x17; 32]);
        let temp_key = bench.memory.volatile.temp_key().unwrap();
        assert_eq!(temp_key.low(), bench.framed(&nonce, [0x15, 0x03, 4, 0], 25, &[0x17; 32]));
        assert_eq!(temp_key.flags(), 0);
    }

    #[test]
    fn counters_and_key_configurations_stand_behind_the_serial_number() {
        let mut bench = Bench::tng();
        let sn = bench.memory.serial_number();
        bench.data(0x24, 0x01, 1, &[]);
        let nonce = bench.random_nonce();
        bench.ok(0x15, 0x04, 1, &[]);
        let count = [&[0, 1, 0, 0, 0][..], &[0; 20]].concat();
        let expected = sha(&[&[0; 32], &[0x15, 4, 1, 0], &sn[8..], &sn[..2], &count, &nonce]);
        assert_eq!(bench.memory.volatile.temp_key().unwrap().low(), expected);

        let nonce = bench.random_nonce();
        bench.ok(0x15, 0x05, 6, &[]);
        let rules = [&[0, 0x8f, 0x0f, 0x7c, 0x00, 1][..], &[0; 19]].concat();
        let expected = sha(&[&[0; 32], &[0x15, 5, 6, 0], &sn[8..], &sn[..2], &rules, &nonce]);
        assert_eq!(bench.memory.volatile.temp_key().unwrap().low(), expected);
    }

    #[test]
    fn a_key_that_asks_for_randomness_takes_no_fixed_nonce() {
        let mut bench = Bench::tng();
        assert_eq!(bench.status(0x15, 0x02, 8, &[]), Status::ExecutionError);
        bench.fixed_nonce(&[1; 32]);
        assert_eq!(bench.status(0x15, 0x02, 6, &[]), Status::ExecutionError);
        assert_eq!(bench.status(0x15, 0x02, 0, &[]), Status::ExecutionError);
        bench.ok(0x15, 0x02, 8, &[]);
    }

    #[test]
    fn a_no_mac_key_takes_other_data_instead_of_the_command() {
        let mut bench = Bench::tng();
        bench.fill(7, &[0x77; 32]);
        let nonce = bench.random_nonce();
        assert_eq!(bench.status(0x15, 0x02, 7, &[]), Status::ExecutionError);
        bench.ok(0x15, 0x02, 7, &[4, 3, 2, 1]);
        let temp_key = bench.memory.volatile.temp_key().unwrap();
        assert_eq!(temp_key.low(), bench.framed(&[0x77; 32], [4, 3, 2, 1], 25, &nonce));
        assert_eq!(temp_key.flags(), 0xa7);
    }
}
