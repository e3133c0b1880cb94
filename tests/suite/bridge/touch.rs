//! A person at the device, however far away the program is that asks.

use std::{thread, time::Duration};

use atecc::Slot;
use atecc_token::{Refusal, Token};

use super::{
    board::{AtDevice, Board},
    serve,
};

fn open(device: &str) -> Token {
    Token::open(&device.parse().unwrap()).unwrap()
}

/// The chip is awake when the HMAC is begun in it, and would not wait for a finger.
#[test]
fn a_touch_for_a_lease_is_asked_for_before_the_chip_wakes() {
    let board = Board::new();
    let slot = Slot::new(9).unwrap();
    let token = open(&board.device());
    let mac = token.hmac_sha256(slot, b"Hi There").unwrap();
    // Longer than a lease lasts.
    board.set_at_device(AtDevice::Comes(Duration::from_secs(2)));
    assert_eq!(token.hmac_sha256(slot, b"Hi There").unwrap(), mac);
    assert_eq!(board.asked(), 1);
    board.set_at_device(AtDevice::Denies);
    let error = token.hmac_sha256(slot, b"Hi There").unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::Denied), "{error}");
}

/// Longer than any answer is waited for, since nobody says that it takes long: the question is of another.
#[test]
fn who_comes_while_another_is_asked_about_waits_and_is_served() {
    let board = Board::new();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("bridge.sock");
    let _server = serve(&board.device(), &socket);
    let (near, far) = (open(&board.device()), open(&format!("unix:{}", socket.display())));
    board.set_at_device(AtDevice::Away(Duration::from_secs(12)));
    thread::scope(|scope| {
        let before = board.requests();
        let asking = scope.spawn(|| near.sign(Slot::PRIMARY_KEY, &[1; 32]).unwrap_err());
        while board.requests() == before {
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(board.asked(), 0);
        far.random(&mut [0; 8]).unwrap();
        assert_eq!(board.asked(), 1, "the question was not left alone");
        assert_eq!(asking.join().unwrap().refusal(), Some(Refusal::NotTouched));
    });
}
