//! CheckMac (section 5.3.2).

use atecc::{Slot, Status, packet::Packet};

use super::{
    Data,
    access::{is_same, sha256, slot, symmetric_key},
    mac::{FIRST_TEMP_KEY, SECOND_TEMP_KEY, keyed, matching_temp_key},
    success,
    volatile::TempKey,
};
use crate::memory::Memory;

/// Bits of the mode that mean something.
const LEGAL: u8 = 0x07;

pub(super) fn execute(packet: &Packet, memory: &mut Memory) -> Result<Data, Status> {
    let mode = packet.param1();
    let data: &[u8; 77] = packet.data().try_into().map_err(|_| Status::ParseError)?;
    if mode & !LEGAL != 0 {
        return Err(Status::ParseError);
    }
    let (challenge, rest) = data.split_at(32);
    let (response, other) = rest.split_at(32);

    let temp_key = matching_temp_key(memory, mode)?;
    let low = temp_key.as_ref().map(TempKey::low).unwrap_or_default();
    let (key, first) = if mode & FIRST_TEMP_KEY != 0 {
        (None, low)
    } else {
        let slot = slot(packet.param2())?;
        (Some(slot), keyed(memory, slot, mode, temp_key.as_ref())?)
    };
    let second = if mode & SECOND_TEMP_KEY != 0 { &low[..] } else { challenge };

    let serial = memory.serial_number();
    let expected = sha256(&[
        &first,
        second,
        &other[..4],
        &[0; 8],
        &other[4..7],
        &serial[8..],
        &other[7..11],
        &serial[..2],
        &other[11..],
    ]);
    if !is_same(&expected, response) {
        return Err(Status::Miscompare);
    }
    if let Some(key) = key {
        memory.volatile.authorized = Some(key);
        if mode & SECOND_TEMP_KEY != 0 {
            copy(memory, key)?;
        }
    }
    success()
}

/// The copy behind a password check (data sheet of the ATECC508A): a key in an even slot whose ReadKey is zero
/// vouches for the next slot, which goes into TempKey.
fn copy(memory: &mut Memory, key: Slot) -> Result<(), Status> {
    let is_password = key.number().is_multiple_of(2) && memory.rules(key).read_key() == Slot::new(0);
    if let (true, Some(next)) = (is_password, Slot::new(key.number() + 1))
        && !memory.rules(next).is_marked_private()
    {
        memory.volatile.temp_key = Some(TempKey::new(&symmetric_key(memory, next)?, true));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, sha};
    use super::*;

    fn response(bench: &Bench, first: &[u8], second: &[u8], other: &[u8; 13]) -> [u8; 32] {
        let sn = bench.memory.serial_number();
        sha(&[
            first,
            second,
            &other[..4],
            &[0; 8],
            &other[4..7],
            &sn[8..],
            &other[7..11],
            &sn[..2],
            &other[11..],
        ])
    }

    #[test]
    fn it_agrees_with_mac() {
        let mut bench = Bench::tng();
        bench.fill(8, &[0x88; 32]);
        let challenge = [5; 32];
        let mac = bench.data(0x08, 0x00, 8, &challenge);
        let other = [0x08, 0x00, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        bench.ok(0x28, 0x00, 8, &[&challenge, &mac[..], &other].concat());
        let mut wrong = mac;
        wrong[0] ^= 1;
        let status = bench.status(0x28, 0x00, 8, &[&challenge, &wrong[..], &other].concat());
        assert_eq!(status, Status::Miscompare);
    }

    #[test]
    fn every_mode_compares_what_the_data_sheet_says() {
        let mut bench = Bench::tng();
        bench.fill(8, &[0x88; 32]);
        let other: [u8; 13] = core::array::from_fn(|index| index as u8);
        for mode in [0x00, 0x01, 0x02, 0x03] {
            let nonce = bench.random_nonce();
            let first = if mode & 2 == 0 { [0x88; 32] } else { nonce };
            let second = if mode & 1 == 0 { [5; 32] } else { nonce };
            let response = response(&bench, &first, &second, &other);
            bench.ok(0x28, mode, 8, &[&[5; 32], &response[..], &other].concat());
        }
    }

    #[test]
    fn a_password_opens_the_next_slot() {
        // Slot 12 with ReadKey 0.
        let mut bench = Bench::configured(|zone| zone[20 + 24] = 0x80);
        bench.fill(12, &[0x12; 32]);
        bench.fill(13, &[0x13; 32]);
        let nonce = bench.random_nonce();
        let response = response(&bench, &[0x12; 32], &nonce, &[0; 13]);
        bench.ok(0x28, 0x01, 12, &[&[0; 32], &response[..], &[0; 13]].concat());
        assert_eq!(bench.memory.volatile.temp_key().unwrap().low(), [0x13; 32]);
    }

    #[test]
    fn a_key_with_an_authorization_waits_for_it() {
        // Slot 8 of a Trust&GO part, made to depend on slot 9.
        let mut eeprom = crate::provision::tng_tls().unwrap();
        eeprom.set(96 + 16, 0x80 | 0x3c);
        eeprom.set(96 + 17, 0x09);
        let mut bench = Bench::with(eeprom);
        bench.fill(9, &[0x99; 32]);
        assert_eq!(bench.status(0x08, 0x00, 8, &[1; 32]), Status::ExecutionError);
        let response = response(&bench, &[0x99; 32], &[2; 32], &[0; 13]);
        bench.ok(0x28, 0x00, 9, &[&[2; 32], &response[..], &[0; 13]].concat());
        assert_eq!(bench.data(0x08, 0x00, 8, &[1; 32]).len(), 32);
        assert_eq!(bench.data(0x30, 0x02, 0, &[]), [0, 0, 9 << 3 | 4, 0]);
    }
}
