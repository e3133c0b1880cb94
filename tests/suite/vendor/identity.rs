//! What the chip says about itself, to the vendor's library and to us.

use atecc_token::Token;

use super::library::ask;
use crate::support::Chip;

#[test]
fn revision_serial_number_and_configuration_are_what_we_read() {
    let chip = Chip::new();
    let bus = chip.serve();
    let token = Token::open(&bus.device().parse().unwrap()).unwrap();
    let [revision, serial, configuration] = ask(&bus.socket, ["info", "serial", "config"]);
    assert_eq!(revision.bytes(), token.revision().0);
    assert_eq!(format!("sn{}", token.serial_number()), chip.common_name());
    assert_eq!(serial.bytes(), token.serial_number().as_bytes());
    assert_eq!(configuration.bytes(), token.configuration().unwrap().as_bytes());
}

#[test]
fn both_zones_are_locked_and_the_slots_are_as_the_configuration_says() {
    let chip = Chip::new();
    let bus = chip.serve();
    let [configuration, data, key, general] =
        ask(&bus.socket, ["is_locked 0", "is_locked 1", "is_slot_locked 2", "is_slot_locked 8"]);
    assert_eq!([configuration, data].map(|answer| answer.number()), [1, 1]);
    assert_eq!([key, general].map(|answer| answer.number()), [0, 0]);
}

#[test]
fn random_numbers_differ_also_after_the_server_was_started_again() {
    let chip = Chip::new();
    let draw = || {
        let bus = chip.serve();
        ask(&bus.socket, ["random", "random", "random"]).map(|answer| answer.array::<32>())
    };
    let mut drawn = [draw(), draw()].concat();
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!(drawn.len(), 6);
}

#[test]
fn the_self_tests_pass() {
    let chip = Chip::new();
    let bus = chip.serve();
    // Each bit that the data sheet or the vendor's library names, and the one that the library takes for all: 0 is
    // no failure.
    let answers = ask(
        &bus.socket,
        [
            "selftest 0x01",
            "selftest 0x02",
            "selftest 0x04",
            "selftest 0x08",
            "selftest 0x10",
            "selftest 0x20",
            "selftest 0x3b",
        ],
    );
    assert_eq!(answers.map(|answer| answer.number()), [0; 7]);
}
