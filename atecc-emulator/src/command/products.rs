//! What the data sheets of the products say that their slots are for.

use atecc::{Slot, Status};

use super::testing::{Bench, sha};
use crate::provision::Personality;

fn bench(personality: Personality) -> Bench {
    Bench::with(personality.make().unwrap())
}

/// GenDig with a key, on a random nonce; the mask that is then in TempKey.
fn mask(bench: &mut Bench, slot: u8, key: &[u8; 32]) -> [u8; 32] {
    let nonce = bench.random_nonce();
    bench.ok(0x15, 0x02, slot.into(), &[]);
    bench.framed(key, [0x15, 0x02, slot, 0x00], 25, &nonce)
}

fn masked(bytes: &[u8], mask: &[u8]) -> Vec<u8> {
    bytes.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
}

#[test]
fn trustflex_takes_a_secret_under_the_io_protection_key() {
    let mut bench = bench(Personality::TflxTls);
    bench.ok(0x12, 0x82, 0x0030, &[0x66; 32]);
    let secret = [0x55; 32];
    assert_eq!(bench.status(0x12, 0x82, 0x0028, &secret), Status::ExecutionError);
    let mask = mask(&mut bench, 6, &[0x66; 32]);
    let mac = bench.framed(&mask, [0x12, 0x82, 0x28, 0x00], 25, &secret);
    bench.ok(0x12, 0x82, 0x0028, &[masked(&secret, &mask), mac.to_vec()].concat());
    // It is an AES key now, and is never read.
    assert_eq!(bench.data(0x51, 0x00, 5, &[0; 16]).len(), 16);
    assert_eq!(bench.status(0x02, 0x82, 0x0028, &[]), Status::ExecutionError);
    // Certificates can be replaced on a prototype, the digest of SecureBoot cannot be written.
    bench.ok(0x12, 0x82, 0x0050, &[1; 32]);
    assert_eq!(bench.status(0x12, 0x82, 0x0038, &[1; 32]), Status::ExecutionError);
}

#[test]
fn trustflex_boots_securely_and_trust_and_go_has_the_same_bytes() {
    for personality in [Personality::TflxTls, Personality::TngTls2] {
        let mut bench = bench(personality);
        let digest = [0x6b; 32];
        let key = bench.new_key(2);
        let padded = [&[0; 4], &key[..32], &[0; 4], &key[32..], &[0; 24]].concat();
        for (block, bytes) in padded.chunks(32).enumerate() {
            bench.ok(0x12, 0x82, (block as u16) << 8 | 15 << 3, bytes);
        }
        let signature = bench.sign(2, &digest);
        bench.ok(0x80, 0x07, 0, &[&digest[..], &signature].concat());
        bench.ok(0x80, 0x06, 0, &digest);
    }
}

#[test]
fn lora_derives_its_keys_from_the_repersonalization_key() {
    let mut bench = bench(Personality::TngLora);
    bench.fill(13, &[0x13; 32]);
    let sn = bench.memory.serial_number();
    let nonce = bench.random_nonce();
    bench.ok(0x1c, 0x00, 0, &sha(&[&[0x13; 32], &[0x1c, 0, 0, 0], &sn[8..], &sn[..2]]));
    let derived = bench.framed(&[0x13; 32], [0x1c, 0, 0, 0], 25, &nonce);
    assert_eq!(bench.memory.eeprom().slot(Slot::PRIMARY_KEY)[..32], derived);
}

#[test]
fn lora_gives_session_keys_only_under_the_io_protection_key() {
    let mut bench = bench(Personality::TngLora);
    bench.ok(0x12, 0x82, 14 << 3, &[0x14; 32]);
    // KDF in AES mode, from slot 0 into slot 2, but never into slot 0.
    bench.ok(0x56, 0x2a, 0x0200, &[0; 20]);
    assert_eq!(bench.status(0x56, 0x2a, 0x0000, &[0; 20]), Status::ExecutionError);
    let stored = bench.memory.eeprom().slot(Slot::new(2).unwrap())[..32].to_vec();
    assert_eq!(bench.status(0x02, 0x82, 2 << 3, &[]), Status::ExecutionError);
    let mask = mask(&mut bench, 14, &[0x14; 32]);
    let read = bench.data(0x02, 0x82, 2 << 3, &[]);
    assert_eq!(masked(&read, &mask), stored);
    // ECDHPROT and KDFPROT: what leaves the chip is masked, asked for or not.
    let key = bench.data(0x40, 0x00, 1, &[]);
    assert_eq!(bench.data(0x43, 0x0c, 1, &key).len(), 64);
    assert_eq!(bench.data(0x56, 0x32, 0x0000, &[0; 20]).len(), 64);
}

#[test]
fn a_blank_part_does_nothing_with_keys_until_it_is_configured() {
    let mut bench = bench(Personality::Blank);
    assert_eq!(bench.data(0x1b, 0x00, 0, &[])[..4], [0xff, 0xff, 0x00, 0x00]);
    assert_eq!(bench.status(0x40, 0x04, 0, &[]), Status::ExecutionError);
    assert_eq!(bench.status(0x12, 0x82, 0x0040, &[0; 32]), Status::ExecutionError);
    bench.ok(0x17, 0x80, 0, &[]);
    let key = bench.new_key(0);
    assert_eq!(bench.data(0x40, 0x00, 0, &[]), key);
    bench.ok(0x16, 0x43, 0, &[1; 32]);
    assert_eq!(bench.status(0x41, 0xa0, 0, &[]), Status::ExecutionError);
    bench.ok(0x17, 0x81, 0, &[]);
    assert_eq!(bench.sign(0, &[1; 32]).len(), 64);
}
