//! The chip through its pins, without the driver.

use std::time::Duration;

use atecc::packet::{Packet, Response};

use super::*;
use crate::provision;

mod garbage;
mod power;

/// tWATCHDOG, typical.
const WATCHDOG: Duration = Duration::from_millis(1_300);
const AFTER_WAKE: Duration = Duration::from_micros(1_500);

fn chip() -> Chip {
    Chip::new(provision::tng_tls().unwrap(), Pace::Instant)
}

fn awake() -> Chip {
    let mut chip = chip();
    chip.wake(Duration::ZERO);
    chip
}

/// Sends one command at `now` and reads its answer.
fn ask_at(chip: &mut Chip, packet: &Packet, now: Duration) -> Response {
    assert!(chip.acknowledges_write(now));
    chip.write(&[&[word_address::COMMAND], packet.as_bytes()].concat(), now);
    assert!(chip.acknowledges_read(now));
    let mut buffer = [0; 80];
    chip.read(&mut buffer);
    Response::parse(&buffer).unwrap()
}

fn ask(chip: &mut Chip, packet: &Packet) -> Response {
    ask_at(chip, packet, AFTER_WAKE)
}

fn command(opcode: u8, mode: u8, param2: u16, data: &[u8]) -> Packet {
    Packet::new(opcode, mode, param2, &[data], 64)
}

#[test]
fn asleep_it_is_deaf() {
    let mut chip = chip();
    assert!(!chip.acknowledges_write(AFTER_WAKE));
    assert!(!chip.acknowledges_read(AFTER_WAKE));
}

#[test]
fn it_listens_only_after_the_wake_delay_and_says_that_it_woke() {
    let mut chip = awake();
    assert!(!chip.acknowledges_read(AFTER_WAKE - Duration::from_micros(1)));
    assert!(chip.acknowledges_read(AFTER_WAKE));
    let mut buffer = [0; 6];
    chip.read(&mut buffer);
    assert_eq!(buffer, [0x04, 0x11, 0x33, 0x43, 0xff, 0xff]);
}

#[test]
fn reading_again_continues_and_reset_starts_over() {
    let mut chip = awake();
    let mut half = [0; 2];
    chip.read(&mut half);
    chip.read(&mut half);
    assert_eq!(half, [0x33, 0x43]);
    chip.write(&[word_address::RESET], AFTER_WAKE);
    chip.read(&mut half);
    assert_eq!(half, [0x04, 0x11]);
}

#[test]
fn a_command_may_come_in_pieces_and_nothing_can_be_read_meanwhile() {
    let mut chip = awake();
    let info = command(0x30, 0x00, 0, &[]);
    let (start, end) = info.as_bytes().split_at(3);
    chip.write(&[&[word_address::COMMAND], start].concat(), AFTER_WAKE);
    assert!(!chip.acknowledges_read(AFTER_WAKE));
    chip.write(&[&[word_address::COMMAND], end].concat(), AFTER_WAKE);
    assert!(chip.acknowledges_read(AFTER_WAKE));
    let mut buffer = [0; 7];
    chip.read(&mut buffer);
    assert_eq!(Response::parse(&buffer).unwrap().data(), [0x00, 0x00, 0x60, 0x03]);
}

#[test]
fn a_damaged_command_is_not_executed() {
    let mut chip = awake();
    let mut group = command(0x30, 0x00, 0, &[]).as_bytes().to_vec();
    group[2] ^= 1;
    chip.write(&[&[word_address::COMMAND], &group[..]].concat(), AFTER_WAKE);
    let mut buffer = [0; 4];
    chip.read(&mut buffer);
    assert_eq!(Response::parse(&buffer).unwrap().status(), Some(Status::CommunicationError));
}

#[test]
fn while_busy_it_is_deaf() {
    let mut chip = Chip::new(provision::tng_tls().unwrap(), Pace::Typical);
    chip.wake(Duration::ZERO);
    let random = command(0x1b, 0x00, 0, &[]);
    chip.write(&[&[word_address::COMMAND], random.as_bytes()].concat(), AFTER_WAKE);
    // 12 ms, up to a fifth shorter or longer on this chip, and again in this call.
    assert!(!chip.acknowledges_read(AFTER_WAKE + Duration::from_micros(7_600)));
    assert!(chip.acknowledges_read(AFTER_WAKE + Duration::from_micros(17_400)));
}

#[test]
fn sleep_forgets_and_idle_remembers() {
    let digest = [0x17; 32];
    for (word_address, expected) in
        [(word_address::SLEEP, Some(Status::ExecutionError)), (word_address::IDLE, None)]
    {
        let mut chip = awake();
        assert_eq!(ask(&mut chip, &command(0x16, 0x43, 0, &digest)).status(), Some(Status::Success));
        chip.write(&[word_address], AFTER_WAKE);
        assert!(!chip.acknowledges_write(AFTER_WAKE));
        chip.wake(AFTER_WAKE);
        let signed = ask_at(&mut chip, &command(0x41, 0xa0, 0, &[]), 2 * AFTER_WAKE);
        assert_eq!(signed.status(), expected);
    }
}

#[test]
fn the_watchdog_puts_it_to_sleep() {
    let mut chip = awake();
    assert!(chip.acknowledges_write(WATCHDOG - Duration::from_micros(1)));
    assert!(!chip.acknowledges_write(WATCHDOG));
}

#[test]
fn a_command_that_would_outlast_the_watchdog_is_refused() {
    let mut chip = Chip::new(provision::tng_tls().unwrap(), Pace::Typical);
    chip.wake(Duration::ZERO);
    let late = WATCHDOG - Duration::from_millis(20);
    assert_eq!(
        ask_at(&mut chip, &command(0x40, 0x00, 0, &[]), late).status(),
        Some(Status::WatchdogAboutToExpire)
    );
}

#[test]
fn a_digest_is_signed_once() {
    let mut chip = awake();
    ask(&mut chip, &command(0x16, 0x43, 0, &[0x17; 32]));
    let sign = command(0x41, 0xa0, 0, &[]);
    assert_eq!(ask(&mut chip, &sign).data().len(), 64);
    assert_eq!(ask(&mut chip, &sign).status(), Some(Status::ExecutionError));
}

#[test]
fn random_between_nonce_and_sign_loses_the_digest() {
    let mut chip = awake();
    ask(&mut chip, &command(0x16, 0x43, 0, &[0x17; 32]));
    ask(&mut chip, &command(0x1b, 0x00, 0, &[]));
    assert_eq!(ask(&mut chip, &command(0x41, 0xa0, 0, &[])).status(), Some(Status::ExecutionError));
}

#[test]
fn what_the_configuration_forbids_is_refused() {
    let refused = [
        // Slot 1 signs only what the chip made itself.
        (Some([0x17; 32]), command(0x41, 0xa0, 1, &[])),
        // No key in slots 8 and 10.
        (Some([0x17; 32]), command(0x41, 0xa0, 8, &[])),
        (None, command(0x40, 0x00, 10, &[])),
        // Private keys and the IO protection key are never read.
        (None, command(0x02, 0x82, 0x0000, &[])),
        (None, command(0x02, 0x82, 0x0030, &[])),
    ];
    for (digest, packet) in refused {
        let mut chip = awake();
        if let Some(digest) = digest {
            ask(&mut chip, &command(0x16, 0x43, 0, &digest));
        }
        assert_eq!(ask(&mut chip, &packet).status(), Some(Status::ExecutionError), "{packet:?}");
    }
}

#[test]
fn what_no_chip_understands_is_a_parse_error() {
    let nonsense = [
        command(0x99, 0x00, 0, &[]),
        command(0x30, 0x07, 0, &[]),
        command(0x30, 0x00, 0, &[1]),
        command(0x02, 0x03, 0, &[]),
        command(0x02, 0x82, 0x0350, &[]),
        command(0x16, 0x43, 0, &[0; 31]),
        command(0x1b, 0x02, 0, &[]),
        command(0x41, 0xa0, 0x10, &[]),
        command(0x45, 0x22, 0x0005, &[0; 128]),
    ];
    for packet in nonsense {
        assert_eq!(ask(&mut awake(), &packet).status(), Some(Status::ParseError), "{packet:?}");
    }
}

#[test]
fn a_new_address_is_heard_after_the_next_sleep() {
    let mut chip = awake();
    ask(&mut chip, &command(0x20, 0x01, 0x6e, &[]));
    assert_eq!(chip.i2c_address(), 0x35);
    chip.write(&[word_address::SLEEP], AFTER_WAKE);
    assert_eq!(chip.i2c_address(), 0x37);
}

#[test]
fn a_replica_shows_the_key_that_it_does_not_have() {
    let key = PublicKey::from_bytes([0x42; 64]);
    let mut eeprom = provision::tng_tls().unwrap();
    eeprom.slot_mut(Slot::PRIMARY_KEY).fill(0);
    let mut chip = Chip::replaying(eeprom, &[(Slot::PRIMARY_KEY, key)], Pace::Instant);
    chip.wake(Duration::ZERO);
    assert_eq!(ask(&mut chip, &command(0x40, 0x00, 0, &[])).data(), key.as_bytes());
    ask(&mut chip, &command(0x16, 0x43, 0, &[0x17; 32]));
    assert_eq!(ask(&mut chip, &command(0x41, 0xa0, 0, &[])).status(), Some(Status::EccFault));
    assert_eq!(ask(&mut chip, &command(0x43, 0x0c, 0, key.as_bytes())).status(), Some(Status::EccFault));
}

#[test]
fn an_unhealthy_generator_is_told_once() {
    let mut chip = awake();
    chip.fail_health_test();
    let random = command(0x1b, 0x00, 0, &[]);
    assert_eq!(ask(&mut chip, &random).status(), Some(Status::HealthTestError));
    assert_eq!(ask(&mut chip, &random).data().len(), 32);
}

#[test]
fn a_failed_self_test_is_forgotten_with_sleep() {
    let mut chip = awake();
    chip.fail_self_test(0x20);
    let random = command(0x1b, 0x00, 0, &[]);
    assert_eq!(ask(&mut chip, &random).status(), Some(Status::SelfTestError));
    chip.write(&[word_address::SLEEP], AFTER_WAKE);
    chip.wake(AFTER_WAKE);
    assert_eq!(ask_at(&mut chip, &random, 2 * AFTER_WAKE).data().len(), 32);
}
