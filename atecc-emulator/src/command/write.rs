//! Write (section 5.1.10; encrypted: TFLXTLS data sheet, section 5.1.10.2).

use atecc::{Configuration, Slot, Status, packet::Packet};

use super::{
    Data,
    access::{framed, header, is_same, is_validated, require},
    read::start,
    slot_rules::{SlotRules, WriteRule},
    success,
    volatile::Origin,
};
use crate::memory::Memory;

/// Bytes before this one are the factory's: serial number, revision, AES_Enable, I2C_Enable.
const FACTORY: usize = 16;
/// UserExtra, UserExtraAdd and the locks: UpdateExtra and Lock write them.
const EXTRA_AND_LOCKS: core::ops::Range<usize> = 84..88;
/// What Write makes of the first half byte of a public key that needs validation.
const INVALID: u8 = 0xa0;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let mode = packet.param1();
    let length = if mode & 0x80 != 0 { 32 } else { 4 };
    let has_mac = packet.data().len() == length + 32;
    if mode & 0x3c != 0 || packet.data().len() != length && !(has_mac && length == 32) {
        return Err(Status::ParseError);
    }
    let configuration = memory.configuration();
    let address = packet.param2();
    match mode & 0x03 {
        0x00 if !has_mac => {
            require(!configuration.is_configuration_locked())?;
            write_configuration(memory, start(address, address >> 3 & 0x03), packet.data())
        }
        0x01 if !has_mac => {
            require(configuration.is_configuration_locked() && !configuration.is_data_locked())?;
            let start = start(address, address >> 3 & 0x01);
            require(start + length <= memory.eeprom().otp().len())?;
            memory.write_otp(start, packet.data());
            success()
        }
        0x02 => {
            let slot = Slot::new((address >> 3 & 0x0f) as u8).ok_or(Status::ParseError)?;
            write_slot(packet, memory, &configuration, slot, has_mac)
        }
        _ => Err(Status::ParseError),
    }
}

fn write_configuration(memory: &mut Memory, start: usize, bytes: &[u8]) -> Result<Data, Status> {
    let end = start + bytes.len();
    let is_open = start >= FACTORY
        && end <= memory.configuration().as_bytes().len()
        && (end <= EXTRA_AND_LOCKS.start || start >= EXTRA_AND_LOCKS.end);
    require(is_open)?;
    memory.write_configuration(start, bytes);
    success()
}

fn write_slot(
    packet: &Packet,
    memory: &mut Memory,
    configuration: &Configuration,
    slot: Slot,
    is_encrypted: bool,
) -> Result<Data, Status> {
    let start = start(packet.param2(), packet.param2() >> 8);
    if start >= slot.size() {
        return Err(Status::ParseError);
    }
    let rules = memory.rules(slot);
    // Private keys come in through PrivWrite.
    require(
        configuration.is_configuration_locked() && !rules.is_slot_locked() && !rules.is_marked_private(),
    )?;
    // Four bytes at a time only after the data zone is locked, as the vendor's tests expect it.
    require(configuration.is_data_locked() || packet.data().len() >= 32)?;
    let mut bytes = Data::from_slice(packet.data()).map_err(|_| Status::ParseError)?;
    let write_key = if configuration.is_data_locked() {
        check_rule(memory, rules, slot, packet)?;
        // Until the data zone is locked, any key will do.
        rules.write_key()
    } else {
        None
    };
    if is_encrypted {
        decrypt(packet, memory, write_key, &mut bytes)?;
    }
    if rules.needs_validation()
        && let (0, Some(first)) = (start, bytes.first_mut())
    {
        *first = INVALID | *first & 0x0f;
    }
    memory.write_slot(slot, start, &bytes);
    if rules.needs_validation() {
        // Whatever part of the key was written, it is another key now.
        let first = memory.eeprom().slot(slot).first().copied().unwrap_or_default();
        memory.write_slot(slot, 0, &[INVALID | first & 0x0f]);
    }
    success()
}

/// WriteConfig, once the data zone is locked.
fn check_rule(memory: &Memory, rules: SlotRules, slot: Slot, packet: &Packet) -> Result<(), Status> {
    // Secrets are not written four bytes at a time.
    require(!rules.is_secret() || packet.data().len() >= 32)?;
    let is_encrypted = packet.data().len() == 64;
    match rules.write_rule() {
        WriteRule::Always => require(!is_encrypted),
        WriteRule::PublicKeyInvalid => require(!is_encrypted && !is_validated(memory, slot)),
        WriteRule::Encrypted => require(is_encrypted),
        WriteRule::Never => Err(Status::ExecutionError),
    }
}

/// Takes the mask off, checks the MAC, and cuts it off.
fn decrypt(
    packet: &Packet,
    memory: &mut Memory,
    write_key: Option<Slot>,
    bytes: &mut Data,
) -> Result<(), Status> {
    let mask = memory.volatile.take_temp_key()?;
    let is_right_key = match (mask.origin, write_key) {
        (Origin::GenDig(_), None) => true,
        (Origin::GenDig(used), Some(key)) => used == key,
        _ => false,
    };
    require(is_right_key)?;
    bytes.iter_mut().zip(&mask.value[..32]).for_each(|(byte, mask)| *byte ^= mask);
    let (clear, mac) = bytes.split_at(32);
    let expected = framed(memory, &mask.low(), header(packet), 25, clear);
    require(is_same(&expected, mac))?;
    bytes.truncate(32);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Bench;
    use super::*;

    #[test]
    fn the_factory_bytes_and_the_locks_are_never_written() {
        let mut bench = Bench::blank();
        for (mode, address) in [(0x00, 0x00), (0x00, 0x03), (0x00, 0x15), (0x80, 0x00), (0x80, 0x10)] {
            let status = bench.status(0x12, mode, address, &[0xaa; 32][..if mode == 0 { 4 } else { 32 }]);
            assert_eq!(status, Status::ExecutionError, "{address:02x}");
        }
        for (mode, address) in [(0x00, 0x04), (0x00, 0x14), (0x00, 0x16), (0x80, 0x08), (0x80, 0x18)] {
            bench.ok(0x12, mode, address, &[0xaa; 32][..if mode == 0 { 4 } else { 32 }]);
        }
    }

    #[test]
    fn a_locked_configuration_is_not_written() {
        assert_eq!(Bench::tng().status(0x12, 0x00, 0x04, &[0; 4]), Status::ExecutionError);
    }

    #[test]
    fn write_config_says_who_may_write() {
        let mut bench = Bench::tng();
        bench.ok(0x12, 0x82, 0x0040, &[7; 32]);
        bench.ok(0x12, 0x02, 0x0c47, &[8; 4]);
        assert_eq!(bench.status(0x12, 0x82, 0x0d40, &[7; 32]), Status::ParseError);
        // The last block of slot 6 has four bytes.
        bench.ok(0x12, 0x82, 0x0130, &[7; 32]);
        // A secret is not written in words, a certificate not at all, a private key not by Write.
        assert_eq!(bench.status(0x12, 0x02, 0x0030, &[7; 4]), Status::ExecutionError);
        assert_eq!(bench.status(0x12, 0x82, 0x0050, &[7; 32]), Status::ExecutionError);
        assert_eq!(bench.status(0x12, 0x82, 0x0010, &[7; 32]), Status::ExecutionError);
    }

    #[test]
    fn an_encrypted_write_needs_the_write_key_and_the_mac() {
        let mut bench = Bench::test_part();
        bench.fill(4, &[0x44; 32]);
        let clear = [0x77; 32];
        assert_eq!(bench.status(0x12, 0x82, 0x0008, &clear), Status::ExecutionError);
        for is_good in [false, true] {
            let nonce = bench.random_nonce();
            bench.ok(0x15, 0x02, 4, &[]);
            let mask = bench.framed(&[0x44; 32], [0x15, 0x02, 0x04, 0x00], 25, &nonce);
            let mut mac = bench.framed(&mask, [0x12, 0x82, 0x08, 0x00], 25, &clear);
            mac[31] ^= u8::from(!is_good);
            let masked: Vec<u8> = clear.iter().zip(mask).map(|(a, b)| a ^ b).chain(mac).collect();
            let expected = if is_good { Status::Success } else { Status::ExecutionError };
            assert_eq!(bench.status(0x12, 0x82, 0x0008, &masked), expected);
            assert_eq!(bench.memory.eeprom().slot(Slot::new(1).unwrap())[..32] == clear, is_good);
        }
    }

    #[test]
    fn before_the_data_lock_slots_are_open_and_otp_too() {
        let mut bench = Bench::configured(|zone| zone[86] = 0x55);
        bench.ok(0x12, 0x82, 0x0008, &[1; 32]);
        assert_eq!(bench.status(0x12, 0x02, 0x0030, &[1; 4]), Status::ExecutionError, "in blocks only");
        bench.ok(0x12, 0x81, 0x0008, &[1; 32]);
        assert_eq!(bench.status(0x12, 0x82, 0x0000, &[1; 32]), Status::ExecutionError);
    }

    #[test]
    fn a_slot_that_was_locked_stays_as_it_is() {
        let mut bench = Bench::tng();
        bench.ok(0x17, 0x22, 0, &[]);
        assert_eq!(bench.status(0x12, 0x82, 0x0040, &[7; 32]), Status::ExecutionError);
    }
}
