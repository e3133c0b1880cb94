//! Digests that were computed once outside of this crate, with Python's hashlib, from the tables of the data
//! sheets: serial number 0123112233445566EE, TempKey 00 to 1F by Nonce, key 44 44 ... in slot 4.

use atecc::Slot;

use super::testing::{Bench, hex};

fn bench() -> Bench {
    let mut bench = Bench::test_part();
    bench.fill(4, &[0x44; 32]);
    nonce(&mut bench);
    bench
}

fn nonce(bench: &mut Bench) {
    bench.fixed_nonce(&core::array::from_fn(|index| index as u8));
}

fn challenge() -> [u8; 32] {
    core::array::from_fn(|index| 32 + index as u8)
}

fn temp_key(bench: &Bench) -> Vec<u8> {
    bench.memory.volatile.temp_key().unwrap().low().to_vec()
}

#[test]
fn mac_and_checkmac() {
    let mut bench = bench();
    let mac = "ce276adbc5ad03d13b3d870d3aae2ca3db8b756806a8d88e8844222eb7bb67e7";
    assert_eq!(bench.data(0x08, 0x40, 4, &challenge()), hex(mac));
    bench.ok(0x15, 0x02, 4, &[]);
    let mac = "9855ae9af3ae474c9c369d9261f4fef04cc21f601575c7bb6ad5d988a5b4ba8e";
    assert_eq!(bench.data(0x08, 0x45, 4, &[]), hex(mac));
    let response = hex("94eada509e0add454b68aafeaf5b0a1c7483dcbca53beb5fae4882db3241b620");
    let other = hex("101112131415161718191a1b1c");
    bench.ok(0x28, 0x00, 4, &[&challenge()[..], &response, &other].concat());
}

#[test]
fn gendig() {
    let cases: [(u8, u16, &[u8], &str); 4] = [
        (0x02, 4, &[], "eb0de040d8f22e64a8d60f20854620daa92615a2d3a1c8157dc317595c309a14"),
        (0x03, 0x8004, &challenge(), "098c598c2b6579000bfb67b9eed72fa8bfff95dc056f93574de906967c4e1554"),
        (0x04, 1, &[], "fc402617dd7781daca2605332cb437bcbc305af8b2edd2632484c2ef602551c1"),
        (0x05, 4, &[], "2290ff5a38ac3059a4827d53513d5f540782e96af8a58617ccf76334b836f854"),
    ];
    for (mode, key, input, digest) in cases {
        let mut bench = bench();
        bench.ok(0x15, mode, key, input);
        assert_eq!(temp_key(&bench), hex(digest), "mode {mode}");
    }
}

#[test]
fn genkey_over_a_stored_key() {
    let mut bench = bench();
    let mut key = [0xaa; 64];
    key[32..].fill(0xbb);
    bench.fill_public_key(11, &key);
    bench.ok(0x40, 0x10, 11, &[1, 2, 3]);
    let digest = "cab7bfbb97fa8784f83db4871ab3b39fbaf72a53b3b468100d0dd62c5840c331";
    assert_eq!(temp_key(&bench), hex(digest));
}

#[test]
fn derivekey() {
    let mut bench = bench();
    bench.fill(9, &[0x99; 32]);
    bench.ok(0x1c, 0x04, 9, &[]);
    let key = "8a50b38c46bfe2cc12ec587b3c9e8fa561ac1c8943d5e49deeca2cd20f968651";
    assert_eq!(bench.memory.eeprom().slot(Slot::new(9).unwrap())[..32], hex(key));
}

#[test]
fn encrypted_write_and_privwrite() {
    let mut bench = bench();
    bench.ok(0x15, 0x02, 4, &[]);
    let message = "9c7a9737af855913dfa17857f23157adde5162d5a4d6bf620ab4602e2b47ed63\
                   d8081943799a881eea785e77db29d9a8c0cf492825894658c5522f6dfba7ad52";
    bench.ok(0x12, 0x82, 0x0008, &hex(message));
    assert_eq!(bench.memory.eeprom().slot(Slot::new(1).unwrap())[..32], [0x77; 32]);

    nonce(&mut bench);
    bench.ok(0x15, 0x02, 4, &[]);
    let message = "eb0de040d8f22e64a8d60f20854620daa92615a2d3a1c8157dc317595c309a14\
                   1c8d4076de1ee2a16e38ba94512377a6caf67514776c7c1c533b142419e27aaafd79e1b3";
    bench.ok(0x46, 0x40, 7, &hex(message));
    assert_eq!(bench.memory.eeprom().slot(Slot::new(7).unwrap())[35], 1);
}
