//! Verify with keys of the chip's own making.

use super::super::testing::{Bench, sha};
use super::*;

const DIGEST: [u8; 32] = [0x6b; 32];

#[test]
fn a_stored_key_verifies_from_both_places() {
    let mut bench = Bench::test_part();
    let key = bench.new_key(2);
    bench.fill_public_key(15, &key);
    let signature = bench.sign(2, &DIGEST);
    bench.ok(0x16, 0x43, 0, &DIGEST);
    bench.ok(0x45, 0x20, 15, &signature);
    bench.fixed_nonce(&DIGEST);
    bench.ok(0x45, 0x00, 15, &signature);
    bench.fixed_nonce(&[0; 32]);
    assert_eq!(bench.status(0x45, 0x00, 15, &signature), Status::Miscompare);
    assert_eq!(bench.status(0x45, 0x00, 15, &signature), Status::ExecutionError);
}

#[test]
fn a_mac_answers_for_the_result() {
    let mut bench = Bench::test_part();
    bench.fill(4, &[0x44; 32]);
    let key = bench.new_key(2);
    let signature = bench.sign(2, &DIGEST);
    let nonce = [9; 32];
    let data = [signature, key].concat();

    // The digest and the nonce in one buffer, then in two.
    bench.ok(0x16, 0x63, 0, &[DIGEST, nonce].concat());
    let mac = bench.data(0x45, 0xa2, 4, &data);
    assert_eq!(mac, sha(&[&[0x44; 32], &DIGEST, &nonce, &signature, &[0x45, 0xa2, 4, 0]]));
    bench.fixed_nonce(&DIGEST);
    bench.ok(0x16, 0x43, 0, &nonce);
    let mac = bench.data(0x45, 0x82, 4, &data);
    assert_eq!(mac, sha(&[&[0x44; 32], &DIGEST, &nonce, &signature, &[0x45, 0x82, 4, 0]]));

    // Without a nonce there is no MAC, and none for a wrong signature.
    bench.ok(0x16, 0x43, 0, &DIGEST);
    assert_eq!(bench.status(0x45, 0xa2, 4, &data), Status::ExecutionError);
    bench.ok(0x16, 0x63, 0, &[nonce, nonce].concat());
    assert_eq!(bench.status(0x45, 0xa2, 4, &data), Status::Miscompare);
}

/// A message about the key in slot 14, signed by the key in slot 2, whose public key is in slot 15.
fn validate(bench: &mut Bench, invalidates: u8) -> Status {
    let mut other = [0x33; 19];
    other[17] = invalidates;
    bench.fixed_nonce(&[1; 32]);
    bench.ok(0x40, 0x10, 14, &[0; 3]);
    let temp_key = bench.memory.volatile.temp_key().unwrap().low();
    let sn = bench.memory.serial_number();
    let message = sha(&[&temp_key, &[0x41], &other[..10], &sn[8..], &other[10..14], &sn[..2], &other[14..]]);
    // Signing from the Message Digest Buffer leaves TempKey alone.
    let signature = bench.sign(2, &message);
    bench.status(0x45, 0x03 | invalidates << 2, 14, &[&signature[..], &other].concat())
}

#[test]
fn a_key_that_needs_validation_verifies_once_its_parent_says_so() {
    // Slot 14 with the rule of TFLXTLS: not written while it is valid.
    let mut bench = Bench::configured(|zone| zone[20 + 29] = 0x1f);
    let parent = bench.new_key(2);
    bench.fill_public_key(15, &parent);
    let padded = [&[0x0f; 4], &parent[..32], &[0; 4], &parent[32..]].concat();
    for (block, bytes) in padded.chunks(32).enumerate() {
        let mut bytes = bytes.to_vec();
        bytes.resize(32, 0);
        bench.ok(0x12, 0x82, (block as u16) << 8 | 14 << 3, &bytes);
    }
    assert_eq!(bench.memory.eeprom().slot(Slot::new(14).unwrap())[0], 0xaf);

    let signature = bench.sign(2, &DIGEST);
    let verify = |bench: &mut Bench| {
        bench.fixed_nonce(&DIGEST);
        bench.status(0x45, 0x00, 14, &signature)
    };
    assert_eq!(verify(&mut bench), Status::ExecutionError);
    assert_eq!(validate(&mut bench, 0), Status::Success);
    assert_eq!(bench.memory.eeprom().slot(Slot::new(14).unwrap())[0], 0x5f);
    assert_eq!(verify(&mut bench), Status::Success);
    assert_eq!(bench.status(0x12, 0x82, 14 << 3, &[0; 32]), Status::ExecutionError);

    assert_eq!(validate(&mut bench, 1), Status::Success);
    assert_eq!(verify(&mut bench), Status::ExecutionError);
    bench.ok(0x12, 0x82, 14 << 3, &[0; 32]);
}

#[test]
fn a_message_about_another_key_validates_nothing() {
    let mut bench = Bench::test_part();
    let parent = bench.new_key(2);
    bench.fill_public_key(15, &parent);
    bench.fill_public_key(14, &parent);
    let signature = bench.sign(2, &DIGEST);
    bench.fixed_nonce(&[1; 32]);
    assert_eq!(bench.status(0x45, 0x03, 14, &[&signature[..], &[0; 19]].concat()), Status::ExecutionError);
    bench.fixed_nonce(&[1; 32]);
    bench.ok(0x40, 0x10, 14, &[0; 3]);
    assert_eq!(bench.status(0x45, 0x03, 14, &[&signature[..], &[0; 19]].concat()), Status::Miscompare);
}
