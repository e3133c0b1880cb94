//! KDF: HKDF, AES and the PRF of TLS 1.2, from TempKey and from slots, to TempKey, to slots and out.

use super::{
    library::{ask, hex},
    openssl,
    test_part::{PARENT, ask_test_part, test_part},
};
use crate::support::Chip;

const SECRET: [u8; 32] = *b"any thirty-two bytes of a secret";

/// openssl's option NAME=x:HEX.
fn option(name: &str, bytes: &[u8]) -> String {
    format!("{name}:{}", &hex(bytes)[2..])
}

/// `openssl kdf` with these options.
fn openssl_kdf(name: &str, length: usize, options: &[String]) -> Vec<u8> {
    let length = length.to_string();
    let mut arguments = vec!["kdf", "-binary", "-keylen", &length, "-kdfopt", "digest:SHA256"];
    arguments.extend(options.iter().flat_map(|option| ["-kdfopt", option]));
    arguments.push(name);
    openssl::filter(&arguments, b"")
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let option = option("hexkey", key);
    openssl::filter(&["dgst", "-sha256", "-mac", "HMAC", "-macopt", &option, "-binary"], message)
}

/// Details of KDF for HKDF with a message of this length that comes with the command.
fn sent(length: usize) -> usize {
    length << 24 | 0x02
}

/// RFC 5869 in two steps of the chip, extract and expand; the salt is a key in a slot, what lies between stays in
/// the chip.
#[test]
fn hkdf_with_the_salt_in_a_slot_is_that_of_rfc_5869() {
    let chip = test_part();
    let bus = chip.serve();
    let info = b"expand";
    let behind_info = [info, &[0x01][..]].concat();
    let [extracted, expanded] = ask_test_part(
        &bus.socket,
        [
            &format!("kdf 0x42 0x0004 {} {}", sent(32), hex(&SECRET)),
            &format!("kdf 0x50 0 {} {}", sent(behind_info.len()), hex(&behind_info)),
        ],
    );
    extracted.succeeded();
    let options = [option("hexkey", &SECRET), option("hexsalt", &PARENT), option("hexinfo", info)];
    assert_eq!(expanded.bytes()[..32], openssl_kdf("HKDF", 32, &options));
}

/// Each 32 bytes are under the SHA-256 of the IO protection key and half of the nonce.
#[test]
fn what_goes_out_under_the_io_protection_key_is_what_goes_out_in_clear() {
    let chip = test_part();
    let bus = chip.serve();
    let load = format!("load_tempkey {}", hex(&SECRET));
    let prf = |mode: u8| format!("kdf {mode:#x} 0 {} {}", 12 << 24 | 0x0101, hex(b"label + seed"));
    let [loaded, clear, again, masked] = ask_test_part(&bus.socket, [&load, &prf(0x10), &load, &prf(0x14)]);
    [&loaded, &again].into_iter().for_each(|answer| answer.succeeded());
    let (clear, masked) = (clear.bytes(), masked.bytes());
    let expected =
        openssl_kdf("TLS1-PRF", 64, &[option("hexsecret", &SECRET), option("hexseed", b"label + seed")]);
    assert_eq!(clear[..64], expected);
    let (result, nonce) = masked.split_at(64);
    let masks: Vec<u8> =
        nonce.chunks(16).flat_map(|half| openssl::sha256(&[&PARENT, half].concat())).collect();
    let opened: Vec<u8> = result.iter().zip(masks).map(|(byte, mask)| byte ^ mask).collect();
    assert_eq!(opened, expected);
    assert_ne!(result, expected);
}

/// Details: which 16 bytes of the source are the key.
#[test]
fn aes_takes_its_key_from_each_half_of_tempkey() {
    let chip = test_part();
    let bus = chip.serve();
    let block = *b"sixteen bytes...";
    for (half, key) in SECRET.chunks(16).enumerate() {
        let [loaded, derived] = ask_test_part(
            &bus.socket,
            [&format!("load_tempkey {}", hex(&SECRET)), &format!("kdf 0x30 0 {half} {}", hex(&block))],
        );
        loaded.succeeded();
        let key = &hex(key)[2..];
        let expected = openssl::filter(&["enc", "-aes-128-ecb", "-nopad", "-K", key], &block);
        assert_eq!(derived.bytes()[..32], [expected, vec![0; 16]].concat());
    }
}

/// HMAC with a key that came into the alternate key buffer, and with the upper half of TempKey.
#[test]
fn hkdf_works_from_the_other_buffers() {
    let chip = test_part();
    let bus = chip.serve();
    let (lower, upper) = ([0x11; 32], [0x22; 32]);
    let message = format!("{} {}", sent(5), hex(b"hello"));
    let [alternate, from_alternate, long, from_upper] = ask_test_part(
        &bus.socket,
        [
            &format!("nonce 0x83 0 {}", hex(&SECRET)),
            &format!("kdf 0x53 0 {message}"),
            &format!("nonce 0x23 0 {}", hex(&[lower, upper].concat())),
            &format!("kdf 0x51 0 {message}"),
        ],
    );
    [&alternate, &long].into_iter().for_each(|answer| answer.succeeded());
    assert_eq!(from_alternate.bytes()[..32], hmac(&SECRET, b"hello"));
    assert_eq!(from_upper.bytes()[..32], hmac(&upper, b"hello"));
}

/// Slot 9 of a TNGTLS takes derived keys, and AES uses them.
#[test]
fn a_derived_key_in_slot_9_is_used_by_aes() {
    let chip = Chip::new();
    let bus = chip.serve();
    let (key, text) = (&hmac(&SECRET, b"context")[..16], *b"sixteen bytes...");
    let [loaded, derived, encrypted, read] = ask(
        &bus.socket,
        [
            &format!("load_tempkey {}", hex(&SECRET)),
            &format!("kdf 0x48 0x0900 {} {}", sent(7), hex(b"context")),
            &format!("aes_encrypt 9 0 {}", hex(&text)),
            "read 9 0 32",
        ],
    );
    [&loaded, &derived].into_iter().for_each(|answer| answer.succeeded());
    let expected = openssl::filter(&["enc", "-aes-128-ecb", "-nopad", "-K", &hex(key)[2..]], &text);
    assert_eq!(encrypted.bytes(), expected);
    read.failed();
}

/// Private keys are no sources; slots that take no derived keys are no targets; nothing derives from nothing.
#[test]
fn what_the_configuration_forbids_is_not_derived() {
    let chip = Chip::new();
    let bus = chip.serve();
    let message = format!("{} {}", sent(5), hex(b"hello"));
    let answers = ask(
        &bus.socket,
        [
            &format!("kdf 0x52 0x0000 {message}"),
            &format!("kdf 0x52 0x0002 {message}"),
            &format!("kdf 0x50 0 {message}"),
            &format!("load_tempkey {}", hex(&SECRET)),
            &format!("kdf 0x48 0x0800 {message}"),
            &format!("load_tempkey {}", hex(&SECRET)),
            &format!("kdf 0x48 0x0200 {message}"),
        ],
    );
    for index in [0, 1, 2, 4, 6] {
        answers[index].ended_with("ATCA_EXECUTION_ERROR");
    }
}
