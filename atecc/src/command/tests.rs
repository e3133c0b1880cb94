//! The commands, apart from the chip.

extern crate std;

mod wire;

use super::*;
use crate::{PublicKey, Signature, Slot, zone::CounterId};

/// `N` bytes that count up from `first`.
fn bytes<const N: usize>(first: u8) -> [u8; N] {
    core::array::from_fn(|index| first.wrapping_add(index as u8))
}

fn slot(number: u8) -> Slot {
    Slot::new(number).unwrap()
}

fn key() -> PublicKey {
    PublicKey::from_bytes(bytes(0x40))
}

fn signature() -> Signature {
    Signature::from_bytes(bytes(0x80))
}

fn message() -> KdfMessage<'static> {
    KdfMessage::new(b"label").unwrap()
}

fn response(data: &[u8]) -> Response {
    Response::new(data).unwrap()
}

#[test]
fn a_status_is_never_taken_for_a_result() {
    for code in 1..=u8::MAX {
        let answer = response(&[code]);
        assert!(Ecdh { key: EcdhKey::TempKey, peer: &key() }.output(&answer).is_err());
        assert!(EcdhProtected { key: EcdhKey::TempKey, peer: &key() }.output(&answer).is_err());
        assert!(CounterRead { counter: CounterId::Counter0 }.output(&answer).is_err());
        assert!(ShaStart.output(&answer).is_err());
        assert_eq!(
            SecureBoot { check: SecureBootCheck::Stored, digest: &[0; 32] }.output(&answer).is_ok(),
            code == 1
        );
    }
}

#[test]
fn no_answer_of_any_length_is_too_much() {
    let data = [0x5a; 128];
    for length in 1..=data.len() {
        let answer = response(&data[..length]);
        let _ = Kdf {
            function: KdfFunction::Prf {
                message: message(),
                key_length: PrfKeyLength::Bytes64,
                length: PrfLength::TwoBlocks,
            },
            source: KdfSource::TempKey,
            target: KdfTarget::ProtectedOutput,
        }
        .output(&answer);
        let _ = EcdhProtected { key: EcdhKey::TempKey, peer: &key() }.output(&answer);
        let _ = InfoState.output(&answer);
        let _ = ShaReadContext.output(&answer);
        let _ = SelfTest { tests: SelfTests::ALL }.output(&answer);
    }
}

#[test]
fn numbers_are_read_low_byte_first() {
    let counter = CounterRead { counter: CounterId::Counter0 };
    assert_eq!(counter.output(&response(&[0x01, 0x02, 0x03, 0x00])), Ok(0x0003_0201));
    let state = InfoState.output(&response(&[0x43, 0x80, 0x00, 0x00])).unwrap();
    assert!(state.temp_key_valid() && state.temp_key_from_genkey() && !state.temp_key_from_gendig());
    assert_eq!((state.temp_key_slot(), state.authorized_slot()), (3, None));
}

#[test]
fn a_failure_map_is_told_from_a_status() {
    let output = |tests, code| SelfTest { tests }.output(&response(&[code]));
    assert_eq!(output(SelfTests::ALL, 0x00), Ok(SelfTests::NONE));
    assert_eq!(output(SelfTests::ALL, 0x24), Ok(SelfTests::ECDSA | SelfTests::SHA));
    assert_eq!(output(SelfTests::ALL, 0x0f), Err(ResponseError::Status(Status::ExecutionError)));
    assert_eq!(output(SelfTests::RNG, 0x08), Err(ResponseError::Status(Status::HealthTestError)));
}

#[test]
fn what_cannot_be_undone_is_never_repeated() {
    for (opcode, mode) in [
        (0x40, 0x04),
        (0x40, 0x0c),
        (0x24, 0x01),
        (0x1c, 0x00),
        (0x46, 0x40),
        (0x17, 0x00),
        (0x17, 0x81),
        (0x17, 0x36),
        (0x20, 0x00),
        (0x12, 0x82),
        (0x12, 0xc2),
        (0x80, 0x07),
        (0x43, 0x05),
        (0x56, 0x08),
        (0x45, 0x03),
        (0x45, 0x07),
        (0x08, 0x00),
        (0x28, 0x00),
        (0x15, 0x02),
        (0x51, 0x00),
        (0x47, 0x04),
        (0x77, 0x3d),
        (0x99, 0x00),
    ] {
        assert!(!is_repeatable(opcode, mode), "{} 0x{mode:02x}", name(opcode));
    }
    for (opcode, mode) in [(0x43, 0x0c), (0x43, 0x0e), (0x40, 0x08), (0x24, 0x00), (0x47, 0x01), (0x51, 0x03)]
    {
        assert!(is_repeatable(opcode, mode), "{} 0x{mode:02x}", name(opcode));
    }
}
