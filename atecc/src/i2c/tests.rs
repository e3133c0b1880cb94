//! Transcripts of the bus. The bytes are from the data sheet's tables, with checksums computed apart from the
//! driver; every expected transfer must take place, and no other.

extern crate std;

use std::{vec, vec::Vec};

use embedded_hal::i2c::{ErrorKind, NoAcknowledgeSource};
use embedded_hal_mock::eh1::{
    delay::NoopDelay,
    i2c::{Mock, Transaction},
};

mod pace;

use super::{Error, I2cTransport, TRUST_AND_GO_ADDRESS};
use crate::{
    Device, ResponseError, Slot, Status, Transport,
    command::{Command, InfoRevision},
    packet::Packet,
};

const CHIP: u8 = TRUST_AND_GO_ADDRESS;
const NACK: ErrorKind = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);

const AFTER_WAKE: [u8; 4] = [0x04, 0x11, 0x33, 0x43];
const SUCCESS: [u8; 4] = [0x04, 0x00, 0x03, 0x40];
const EXECUTION_ERROR: [u8; 4] = [0x04, 0x0f, 0x23, 0x42];
const WATCHDOG: [u8; 4] = [0x04, 0xee, 0x31, 0x41];

const INFO: [u8; 8] = [0x03, 0x07, 0x30, 0x00, 0x00, 0x00, 0x03, 0x5d];
const REVISION: [u8; 7] = [0x07, 0x00, 0x00, 0x60, 0x02, 0x80, 0x38];
const RANDOM: [u8; 8] = [0x03, 0x07, 0x1b, 0x00, 0x00, 0x00, 0x24, 0xcd];
/// UpdateExtra, which is never sent twice.
const UPDATE: [u8; 8] = [0x03, 0x07, 0x20, 0x00, 0x00, 0x00, 0x00, 0x7d];
const SIGN: [u8; 8] = [0x03, 0x07, 0x41, 0xa0, 0x00, 0x00, 0x7b, 0x85];

fn digest() -> [u8; 32] {
    let mut digest = [0; 32];
    for (index, byte) in digest.iter_mut().enumerate() {
        *byte = (index % 16) as u8 * 0x11;
    }
    digest
}

/// Nonce, fixed, into the Message Digest Buffer.
fn nonce() -> Vec<u8> {
    [&[0x03, 0x27, 0x16, 0x43, 0x00, 0x00][..], &digest(), &[0xdc, 0x34]].concat()
}

fn random_number() -> Vec<u8> {
    [&[0x23][..], &[0x5a; 32], &[0x24, 0xa4]].concat()
}

fn signature() -> Vec<u8> {
    [&[0x43][..], &[0xc3; 64], &[0x04, 0x3f]].concat()
}

/// An answer as a longer read gets it: filled with 0xFF.
fn filled(answer: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = answer.to_vec();
    bytes.resize(length, 0xff);
    bytes
}

/// The wake pulse, which nobody acknowledges, and the answer to it.
fn wake() -> Vec<Transaction> {
    vec![Transaction::write(0x00, vec![0x00]).with_error(NACK), Transaction::read(CHIP, AFTER_WAKE.to_vec())]
}

fn ask(command: &[u8], answer: Vec<u8>) -> Vec<Transaction> {
    vec![Transaction::write(CHIP, command.to_vec()), Transaction::read(CHIP, answer)]
}

fn busy(length: usize) -> Vec<Transaction> {
    vec![Transaction::read(CHIP, vec![0; length]).with_error(NACK)]
}

/// How often a chip is asked that is never ready: first after half of its typical time, then after pauses of
/// 0.05 ms and 1/64 of the time since the command, each look taking 0.11 ms, until the pauses reach the longest
/// time.
fn looks(typical_us: u32, longest_us: u32) -> usize {
    let (mut waited, mut passed, mut looks) = (typical_us / 2, typical_us / 2, 1);
    while waited < longest_us {
        passed += 110;
        let pause = 50 + passed / 64;
        passed += pause;
        waited += pause;
        looks += 1;
    }
    looks
}

fn sleep() -> Vec<Transaction> {
    vec![Transaction::write(CHIP, vec![0x01])]
}

/// Runs `act` on a chip that shows exactly this transcript.
fn on<R>(
    transcript: &[Vec<Transaction>],
    act: impl FnOnce(&mut Device<I2cTransport<Mock, NoopDelay>>) -> R,
) -> R {
    let mut bus = Mock::new(&transcript.concat());
    let mut chip = Device::new(I2cTransport::new(bus.clone(), NoopDelay, CHIP));
    let result = act(&mut chip);
    bus.done();
    result
}

#[test]
fn a_signature_is_one_wake_and_nine_transfers() {
    let transcript = [
        wake(),
        ask(&RANDOM, random_number()),
        ask(&nonce(), SUCCESS.to_vec()),
        ask(&SIGN, signature()),
        sleep(),
    ];
    let statistics = on(&transcript, |chip| {
        assert_eq!(chip.sign(Slot::PRIMARY_KEY, &digest()).unwrap().as_bytes(), &[0xc3; 64]);
        chip.transport().statistics()
    });
    assert_eq!(
        (statistics.wakes, statistics.transactions, statistics.commands, statistics.polls),
        (1, 9, 3, 0)
    );
}

#[test]
fn a_busy_chip_is_asked_again() {
    let transcript = [wake(), vec![Transaction::write(CHIP, INFO.to_vec())], busy(7), busy(7), {
        let mut rest = vec![Transaction::read(CHIP, REVISION.to_vec())];
        rest.extend(sleep());
        rest
    }];
    assert_eq!(on(&transcript, |chip| chip.revision()).unwrap().0, [0x00, 0x00, 0x60, 0x02]);
}

#[test]
fn a_refusal_ends_the_transaction_and_the_chip_sleeps() {
    let transcript = [
        wake(),
        ask(&RANDOM, random_number()),
        ask(&nonce(), SUCCESS.to_vec()),
        ask(&SIGN, filled(&EXECUTION_ERROR, 67)),
        sleep(),
    ];
    let error = on(&transcript, |chip| chip.sign(Slot::PRIMARY_KEY, &digest())).unwrap_err();
    let refusal = ResponseError::Status(Status::ExecutionError);
    assert!(
        matches!(error, crate::Error::Response { command: "Sign", source } if source == refusal),
        "{error:?}"
    );
}

#[test]
fn a_damaged_answer_is_read_again_from_its_start() {
    let mut damaged = REVISION.to_vec();
    damaged[3] ^= 0x40;
    let transcript = [
        wake(),
        ask(&INFO, damaged),
        vec![Transaction::write(CHIP, vec![0x00]), Transaction::read(CHIP, REVISION.to_vec())],
        sleep(),
    ];
    assert_eq!(on(&transcript, |chip| chip.revision()).unwrap().0[2], 0x60);
}

/// What a damaged answer costs a command that is sent once: the answer is read again, also when the chip does not
/// hear at once that it shall start over.
#[test]
fn a_damaged_answer_to_what_is_sent_once_is_not_lost() {
    let mut damaged = SUCCESS.to_vec();
    damaged[3] ^= 0x40;
    let reset = || Transaction::write(CHIP, vec![0x00]);
    let transcript = [
        settle(),
        wake(),
        ask(&UPDATE, damaged.clone()),
        vec![reset().with_error(NACK), reset(), Transaction::read(CHIP, damaged)],
        vec![reset(), Transaction::read(CHIP, SUCCESS.to_vec())],
        sleep(),
    ];
    let mut responses = crate::Responses::new();
    let packet = Packet::new(0x20, 0x00, 0x0000, &[], 1);
    on(&transcript, |chip| chip.transport_mut().transact(&[packet], &mut responses)).unwrap();
    assert_eq!(responses[0].status(), Some(Status::Success));
}

/// Some adapters say that a read took place when nobody acknowledged it, and leave zeros or ones.
#[test]
fn fill_is_a_busy_chip_and_not_an_answer() {
    for fill in [0x00, 0xff] {
        let busy = || vec![Transaction::read(CHIP, vec![fill; 4])];
        let answer = vec![Transaction::read(CHIP, SUCCESS.to_vec())];
        let sent = vec![Transaction::write(CHIP, UPDATE.to_vec())];
        let transcript = [settle(), wake(), sent, busy(), busy(), busy(), busy(), answer, sleep()];
        let mut responses = crate::Responses::new();
        let packet = Packet::new(0x20, 0x00, 0x0000, &[], 1);
        on(&transcript, |chip| chip.transport_mut().transact(&[packet], &mut responses)).unwrap();
        assert_eq!(responses[0].status(), Some(Status::Success));
    }
}

/// The chip missed the command, so its buffer holds the end of an older answer. That answer must not be taken.
#[test]
fn an_old_answer_is_not_taken_for_a_new_one() {
    let missed = [vec![Transaction::write(CHIP, RANDOM.to_vec())], {
        let polls = (0..looks(12_000, 23_000)).map(|_| Transaction::read(CHIP, vec![0xff; 35]));
        polls.collect()
    }]
    .concat();
    let transcript = [wake(), missed, sleep(), wake(), ask(&RANDOM, random_number()), sleep()];
    assert_eq!(on(&transcript, |chip| chip.random()).unwrap(), [0x5a; 32]);
}

#[test]
fn an_expiring_watchdog_costs_a_second_wake() {
    let transcript =
        [wake(), ask(&INFO, filled(&WATCHDOG, 7)), sleep(), wake(), ask(&INFO, REVISION.to_vec()), sleep()];
    let statistics = on(&transcript, |chip| {
        chip.revision().unwrap();
        chip.transport().statistics()
    });
    assert_eq!((statistics.wakes, statistics.retries), (2, 1));
}

#[test]
fn a_chip_that_was_left_awake_is_put_to_sleep_first() {
    let pulse = || vec![Transaction::write(0x00, vec![0x00]).with_error(NACK)];
    let transcript = [
        pulse(),
        // What an interrupted program left in the output buffer.
        vec![Transaction::read(CHIP, SUCCESS.to_vec())],
        sleep(),
        wake(),
        ask(&INFO, REVISION.to_vec()),
        sleep(),
    ];
    on(&transcript, |chip| chip.revision()).unwrap();
}

#[test]
fn an_absent_chip_is_told_apart_from_a_silent_bus() {
    let attempt = || {
        vec![
            Transaction::write(0x00, vec![0x00]).with_error(NACK),
            Transaction::read(CHIP, vec![0; 4]).with_error(NACK),
            Transaction::write(CHIP, vec![0x01]).with_error(NACK),
        ]
    };
    let error =
        on(&[attempt(), attempt(), attempt(), attempt(), attempt()], |chip| chip.revision()).unwrap_err();
    assert!(
        matches!(error, crate::Error::Transport(Error::NoAnswer { address: CHIP, source: Some(NACK) })),
        "{error:?}"
    );
}

#[test]
fn a_command_that_never_ends_is_given_up_and_tried_again() {
    let endless = || {
        let polls = (0..looks(500, 5_000)).flat_map(|_| busy(7));
        [wake(), vec![Transaction::write(CHIP, INFO.to_vec())], polls.collect(), sleep()].concat()
    };
    let error = on(&[endless(), endless(), endless()], |chip| chip.revision()).unwrap_err();
    assert!(matches!(error, crate::Error::Transport(Error::Timeout { command: "Info", .. })), "{error:?}");
}

/// The longest pause outlasts any watchdog, and what comes after it is another try.
#[test]
fn a_chip_that_hears_no_sleep_is_found_when_its_watchdog_has_expired() {
    let deaf = || {
        vec![
            Transaction::write(0x00, vec![0x00]).with_error(NACK),
            Transaction::read(CHIP, vec![0; 4]).with_error(NACK),
            Transaction::write(CHIP, vec![0x01]).with_error(NACK),
        ]
    };
    let transcript = [deaf(), deaf(), deaf(), deaf(), wake(), ask(&INFO, REVISION.to_vec()), sleep()];
    on(&transcript, |chip| chip.revision()).unwrap();
}

/// Before what is sent once: a chip that sleeps, as it should, does not hear it.
fn settle() -> Vec<Transaction> {
    vec![Transaction::write(CHIP, vec![0x01]).with_error(NACK)]
}

/// Runs `commands` packets of Info in one conversation and gives what the answers were.
fn talk(
    chip: &mut Device<I2cTransport<Mock, NoopDelay>>,
    commands: usize,
) -> (usize, Result<(), Error<ErrorKind>>) {
    let mut answers = 0;
    let mut sent = 0;
    let result = chip.transport_mut().converse(&[], &mut (), &mut |answer| {
        answers += usize::from(answer.is_some());
        sent += 1;
        (sent <= commands).then(|| InfoRevision.packet())
    });
    (answers, result)
}

#[test]
fn a_conversation_is_one_wake_and_ends_in_sleep() {
    let transcript =
        [settle(), wake(), ask(&INFO, REVISION.to_vec()), ask(&INFO, REVISION.to_vec()), sleep()];
    let (answers, result) = on(&transcript, |chip| talk(chip, 2));
    result.unwrap();
    assert_eq!(answers, 2);
}

#[test]
fn a_refusal_ends_the_conversation_and_is_shown() {
    let transcript = [settle(), wake(), ask(&INFO, filled(&EXECUTION_ERROR, 7)), sleep()];
    let (answers, result) = on(&transcript, |chip| talk(chip, 2));
    result.unwrap();
    assert_eq!(answers, 1);
}

#[test]
fn a_conversation_that_the_chip_forgot_is_lost_and_not_repeated() {
    for status in [WATCHDOG, AFTER_WAKE] {
        let transcript =
            [settle(), wake(), ask(&INFO, REVISION.to_vec()), ask(&INFO, filled(&status, 7)), sleep()];
        let (answers, result) = on(&transcript, |chip| talk(chip, 3));
        assert!(matches!(result, Err(Error::SequenceLost(_))), "{result:?}");
        assert_eq!(answers, 1);
    }
}
