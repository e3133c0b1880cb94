//! A person at the device, however far away the program is that asks.

use std::{
    thread,
    time::{Duration, Instant},
};

use atecc::Slot;
use atecc_token::{Refusal, Token};

use super::{
    board::{AtDevice, Board},
    serve, sign_many,
};
use crate::support::Running;

fn open(device: &str) -> Token {
    Token::open(&device.parse().unwrap()).unwrap()
}

/// The chip is awake when the HMAC is begun in it, and would not wait for a finger.
#[test]
fn a_touch_for_a_lease_is_asked_for_before_the_chip_wakes() {
    let board = Board::new();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("bridge.sock");
    let _server = serve(&board.device(), &socket);
    let slot = Slot::new(9).unwrap();
    for device in [board.device(), format!("unix:{}", socket.display())] {
        board.set_at_device(AtDevice::Open);
        let token = open(&device);
        let mac = token.hmac_sha256(slot, b"Hi There").unwrap();
        // Longer than a lease lasts.
        board.set_at_device(AtDevice::Comes(Duration::from_secs(2)));
        let asked = board.asked();
        assert_eq!(token.hmac_sha256(slot, b"Hi There").unwrap(), mac, "{device}");
        assert_eq!(board.asked() - asked, 1);
        board.set_at_device(AtDevice::Denies);
        let error = token.hmac_sha256(slot, b"Hi There").unwrap_err();
        assert_eq!(error.refusal(), Some(Refusal::Denied), "{device}: {error}");
    }
}

/// Longer than any answer is waited for without progress.
const LONG: Duration = Duration::from_secs(10);

#[test]
fn a_program_on_the_socket_waits_for_a_person_as_one_on_the_port_does() {
    let board = Board::new();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("bridge.sock");
    let _server = serve(&board.device(), &socket);
    let device = format!("unix:{}", socket.display());
    let token = open(&device);
    // Its key is known from here on.
    token.sign(Slot::PRIMARY_KEY, &[1; 32]).unwrap();
    board.set_at_device(AtDevice::Comes(LONG));
    token.sign(Slot::PRIMARY_KEY, &[2; 32]).unwrap();
    assert_eq!(board.asked(), 1);

    // A program that is ended takes its question with it.
    let program = Running::start(&mut sign_many(&device, 1, 1));
    wait(|| board.questions() == 2);
    drop(program);
    wait(|| board.withdrawn() == 1);
    board.set_at_device(AtDevice::Open);
    token.sign(Slot::PRIMARY_KEY, &[3; 32]).unwrap();
}

/// Waits until `is_so`, half a minute at most.
fn wait(mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < 3 * LONG, "it does not happen");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Longer than any answer is waited for, since nobody says that it takes long: the question is of another.
#[test]
fn who_comes_while_another_is_asked_about_waits_and_is_served() {
    let board = Board::new();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("bridge.sock");
    let _server = serve(&board.device(), &socket);
    let (near, far) = (open(&board.device()), open(&format!("unix:{}", socket.display())));
    board.set_at_device(AtDevice::Away(LONG + Duration::from_secs(2)));
    thread::scope(|scope| {
        let asking = scope.spawn(|| near.sign(Slot::PRIMARY_KEY, &[1; 32]).unwrap_err());
        wait(|| board.questions() == 1);
        assert_eq!(board.asked(), 0);
        far.random(&mut [0; 8]).unwrap();
        assert_eq!(board.asked(), 1, "the question was not left alone");
        assert_eq!(asking.join().unwrap().refusal(), Some(Refusal::NotTouched));
    });
}
