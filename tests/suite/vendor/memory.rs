//! Slots that are read and written, in clear text and encrypted, and counters.

use atecc::Configuration;
use atecc_emulator::{Eeprom, provision};

use super::library::{ask, hex};
use crate::support::Chip;

const KEY: [u8; 32] = *b"thirty-two bytes for a test key.";
const SECRET: [u8; 32] = *b"nobody reads this from the wires";

#[test]
fn what_is_written_to_slot_8_is_read_and_survives_the_server() {
    let chip = Chip::new();
    let content: Vec<u8> = (0..416_u32).map(|index| (index * 7 % 251) as u8).collect();
    {
        let bus = chip.serve();
        let [written, word, read] = ask(
            &bus.socket,
            [&format!("write 8 0 {}", hex(&content)), "write 8 36 x:01020304", "read 8 0 416"],
        );
        written.succeeded();
        word.succeeded();
        assert_eq!(read.bytes()[36..40], [1, 2, 3, 4]);
    }
    let bus = chip.serve();
    let [read] = ask(&bus.socket, ["read 8 0 416"]);
    assert_eq!(read.bytes()[..36], content[..36]);
    assert_eq!(read.bytes()[40..], content[40..]);
}

#[test]
fn secret_slots_are_not_read_and_the_certificates_are_not_written() {
    let chip = Chip::new();
    let bus = chip.serve();
    let zeros = hex(&[0; 32]);
    let answers = ask(
        &bus.socket,
        [
            "read 0 0 32",
            "read 2 0 32",
            "read 6 0 32",
            "read 9 0 32",
            &format!("write 0 0 {zeros}"),
            &format!("write 10 0 {zeros}"),
            &format!("write 11 0 {zeros}"),
            &format!("write 12 0 {zeros}"),
        ],
    );
    answers.iter().for_each(|answer| answer.ended_with("ATCA_EXECUTION_ERROR"));
}

#[test]
fn the_counters_count_and_survive_the_server() {
    let chip = Chip::new();
    {
        let bus = chip.serve();
        let answers =
            ask(&bus.socket, ["counter 0", "counter 1", "count 1", "count 1", "counter 1", "counter 0"]);
        assert_eq!(answers.map(|answer| answer.number()), [0, 0, 1, 2, 2, 0]);
    }
    let bus = chip.serve();
    let answers = ask(&bus.socket, ["counter 1", "count 1"]);
    assert_eq!(answers.map(|answer| answer.number()), [2, 3]);
}

#[test]
fn a_locked_slot_is_not_written_any_more() {
    let chip = Chip::new();
    let bus = chip.serve();
    let write = format!("write 8 0 {}", hex(&SECRET));
    let [written, before, locked, after, refused, read] = ask(
        &bus.socket,
        [
            &write,
            "is_slot_locked 8",
            "lock_slot 8",
            "is_slot_locked 8",
            &format!("write 8 0 {}", hex(&KEY)),
            "read 8 0 32",
        ],
    );
    written.succeeded();
    locked.succeeded();
    assert_eq!([before, after].map(|answer| answer.number()), [0, 1]);
    refused.ended_with("ATCA_EXECUTION_ERROR");
    assert_eq!(read.bytes(), SECRET);
}

/// A chip of which slot 8 is read and written encrypted, with the key in slot 6.
fn chip_with_an_encrypted_slot() -> Chip {
    let made = provision::tng_tls().unwrap();
    let mut configuration = *made.configuration().as_bytes();
    // SlotConfig of slot 8: read key 6, encrypted read, secret; write key 6, encrypted write.
    configuration[36..38].copy_from_slice(&[0xc6, 0x46]);
    Chip::holding(&Eeprom::new(&Configuration::from_bytes(configuration)))
}

#[test]
fn an_encrypted_slot_is_read_and_written_with_its_key_only() {
    let chip = chip_with_an_encrypted_slot();
    let bus = chip.serve();
    let [key, written, read, in_clear, write_in_clear] = ask(
        &bus.socket,
        [
            &format!("write 6 0 {}", hex(&KEY)),
            &format!("write_encrypted 8 1 {} {} 6", hex(&SECRET), hex(&KEY)),
            &format!("read_encrypted 8 1 {} 6", hex(&KEY)),
            "read 8 32 32",
            &format!("write 8 32 {}", hex(&KEY)),
        ],
    );
    key.succeeded();
    written.succeeded();
    assert_eq!(read.bytes(), SECRET);
    in_clear.ended_with("ATCA_EXECUTION_ERROR");
    write_in_clear.ended_with("ATCA_EXECUTION_ERROR");
    // With another key the chip refuses the write, and what it reads is noise.
    let [refused, noise] = ask(
        &bus.socket,
        [
            &format!("write_encrypted 8 1 {} {} 6", hex(&KEY), hex(&SECRET)),
            &format!("read_encrypted 8 1 {} 6", hex(&SECRET)),
        ],
    );
    refused.failed();
    assert_ne!(noise.bytes(), SECRET);
    let [unchanged] = ask(&bus.socket, [&format!("read_encrypted 8 1 {} 6", hex(&KEY))]);
    assert_eq!(unchanged.bytes(), SECRET);
}
