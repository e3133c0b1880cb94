//! KDF against published vectors.

use super::super::testing::{Bench, hex, sha};
use super::*;

const SEQUENCE: &str = "000102030405060708090a0b0c0d0e0f";

/// Details and message, as they follow the parameters.
fn with(details: u32, message: &[u8]) -> Vec<u8> {
    [&details.to_le_bytes(), message].concat()
}

fn bench() -> Bench {
    let mut bench = Bench::tng();
    bench.ok(0x16, 0x03, 0, &hex(SEQUENCE).repeat(2));
    bench
}

/// The answer of a real part, in the vendor's tests.
const PRF: &str = "1ebcbe62005ab948fdffe1c402aaba354ec676050c9bc1aae1ff5b1509a4a04a\
                   44254664c2a480f5b77ea2d1020c7ba4b3640c4ac793324c26d6fddfdb1f011a";

#[test]
fn prf_is_that_of_a_real_part() {
    let mut bench = bench();
    let data = with(16 << 24 | 0x0101, &hex(SEQUENCE));
    assert_eq!(bench.data(0x56, 0x10, 0, &data), hex(PRF));
    // TempKey stays; one block is the first half.
    let data = with(16 << 24 | 0x0001, &hex(SEQUENCE));
    assert_eq!(bench.data(0x56, 0x10, 0x1234, &data), hex(PRF)[..32]);
}

#[test]
fn aead_splits_the_result() {
    let mut bench = bench();
    let data = with(16 << 24 | 0x0301, &hex(SEQUENCE));
    assert_eq!(bench.data(0x56, 0x0c, 0, &data), hex(PRF)[32..]);
    assert_eq!(bench.memory.volatile.alternate_key.as_ref().unwrap().0[..], hex(PRF)[..32]);
    assert_eq!(bench.status(0x56, 0x10, 0, &data), Status::ExecutionError);
    assert_eq!(bench.status(0x56, 0x0c, 0, &with(16 << 24 | 0x0201, &[0; 16])), Status::ParseError);
}

#[test]
fn hkdf_is_made_of_single_steps() {
    // RFC 5869, test case 1: extract, then the first block of expand.
    let mut bench = Bench::tng();
    let salt = hex("000102030405060708090a0b0c");
    bench.ok(0x16, 0x83, 0, &[&salt[..], &[0; 19]].concat());
    bench.ok(0x56, 0x43, 0, &with(22 << 24 | 0x02, &[0x0b; 22]));
    let prk = hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    assert_eq!(bench.memory.volatile.temp_key().unwrap().low()[..], prk);
    let info = hex("f0f1f2f3f4f5f6f7f8f9 01");
    let okm = bench.data(0x56, 0x50, 0, &with(11 << 24 | 0x02, &info));
    assert_eq!(okm, hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"));
}

#[test]
fn aes_is_that_of_a_real_part() {
    let mut bench = bench();
    let expected = [hex("0a940bb5416ef045f1c39458c653ea5a"), vec![0; 16]].concat();
    assert_eq!(bench.data(0x56, 0x30, 0, &with(0, &hex(SEQUENCE))), expected);
    assert_eq!(bench.data(0x56, 0x30, 0, &with(1, &hex(SEQUENCE))), expected);
    assert_eq!(bench.status(0x56, 0x30, 0, &with(2, &hex(SEQUENCE))), Status::ExecutionError);
}

#[test]
fn output_under_the_io_protection_key() {
    let mut bench = bench();
    bench.fill(6, &[0x66; 32]);
    let output = bench.data(0x56, 0x14, 0, &with(16 << 24 | 0x0101, &hex(SEQUENCE)));
    let (masked, nonce) = output.split_at(64);
    let masks = [sha(&[&[0x66; 32], &nonce[..16]]), sha(&[&[0x66; 32], &nonce[16..]])].concat();
    let clear: Vec<u8> = masked.iter().zip(masks).map(|(a, b)| a ^ b).collect();
    assert_eq!((clear, nonce.len()), (hex(PRF), 32));
}

#[test]
fn keys_come_from_slots_and_go_to_slots_that_are_for_them() {
    let mut bench = bench();
    let data = with(16 << 24 | 0x0001, &hex(SEQUENCE));
    bench.ok(0x56, 0x08, 0x0900, &data);
    assert_eq!(bench.memory.eeprom().slot(Slot::new(9).unwrap())[..32], hex(PRF)[..32]);
    // Slot 8 takes no derived keys, slot 0 gives none.
    assert_eq!(bench.status(0x56, 0x08, 0x0800, &data), Status::ExecutionError);
    assert_eq!(bench.status(0x56, 0x12, 0x0000, &data), Status::ExecutionError);
    bench.fill(9, &hex(SEQUENCE).repeat(2));
    assert_eq!(bench.data(0x56, 0x12, 0x0009, &data), hex(PRF)[..32]);
}

#[test]
fn the_upper_half_of_temp_key_needs_the_lower_one() {
    let mut bench = Bench::tng();
    bench.ok(0x16, 0x83, 0, &hex(SEQUENCE).repeat(2));
    let data = with(16 << 24 | 0x0001, &hex(SEQUENCE));
    assert_eq!(bench.status(0x56, 0x07, 0, &data), Status::ExecutionError);
    bench.ok(0x56, 0x03, 0, &data);
    assert_eq!(bench.status(0x56, 0x11, 0, &data), Status::ExecutionError);
    bench.ok(0x56, 0x07, 0, &data);
    let temp_key = bench.memory.volatile.temp_key().unwrap();
    assert!(temp_key.is_64 && temp_key.value[..] == hex(PRF)[..32].repeat(2));
    assert_eq!(bench.data(0x56, 0x11, 0, &data).len(), 32);
}

#[test]
fn kdfprot_masks_or_forbids_what_goes_out() {
    let data = with(16 << 24 | 0x0001, &hex(SEQUENCE));
    for (protection, expected) in [(0, 32), (1, 64), (2, 1), (3, 1)] {
        let mut bench = Bench::configured(|zone| zone[91] = 0x40 | protection << 2);
        bench.ok(0x16, 0x03, 0, &[1; 32]);
        assert_eq!(bench.data(0x56, 0x10, 0, &data).len(), expected, "KDFPROT {protection}");
    }
}

#[test]
fn the_special_string_must_be_at_its_place() {
    let mut bench = Bench::test_part();
    bench.ok(0x16, 0x03, 0, &[1; 32]);
    let mut message = [0; 32];
    assert_eq!(bench.status(0x56, 0x50, 0, &with(32 << 24 | 0x03, &message)), Status::ExecutionError);
    message[9..11].copy_from_slice(&[0x69, 0x76]);
    assert_eq!(bench.data(0x56, 0x50, 0, &with(32 << 24 | 0x03, &message)).len(), 32);
}
