//! ECDH, AES, SHA-256, HMAC and MAC in the chip, against openssl.

use super::{
    library::{ask, hex},
    openssl::{self, HostKey},
};
use crate::support::Chip;

/// Any 32 bytes.
const KEY: [u8; 32] = *b"thirty-two bytes for a test key.";
const MESSAGE: &[u8] = b"a message that is longer than one block of SHA-256, and no multiple of its length: \
    and so the chip gets two blocks of 64 bytes and what remains of it, which is padded inside";

#[test]
fn both_sides_of_ecdh_have_one_secret() {
    let chip = Chip::new();
    let bus = chip.serve();
    let host = HostKey::new();
    let [key, secret] = ask(&bus.socket, ["pubkey 0", &format!("ecdh 0 {}", hex(&host.public_key()))]);
    assert_eq!(secret.bytes(), host.agree(&key.bytes()));
}

/// The secret crosses the bus encrypted with the IO protection key of slot 6.
#[test]
fn ecdh_with_output_protection_gives_the_same_secret() {
    let chip = Chip::new();
    let bus = chip.serve();
    let host = HostKey::new();
    let [key, written, secret] = ask(
        &bus.socket,
        [
            "pubkey 0",
            &format!("write 6 0 {}", hex(&KEY)),
            &format!("ecdh_protected 0 {} {}", hex(&host.public_key()), hex(&KEY)),
        ],
    );
    written.succeeded();
    assert_eq!(secret.bytes(), host.agree(&key.bytes()));
}

#[test]
fn a_point_that_is_not_on_the_curve_is_refused() {
    let chip = Chip::new();
    let bus = chip.serve();
    let [secret] = ask(&bus.socket, [&format!("ecdh 0 {}", hex(&[0x01; 64]))]);
    secret.ended_with("ATCA_STATUS_ECC");
}

#[test]
fn sha_256_of_messages_of_every_kind_of_length() {
    let chip = Chip::new();
    let bus = chip.serve();
    let messages = [0, 1, 55, 56, 63, 64, 65, 128, MESSAGE.len()].map(|length| &MESSAGE[..length]);
    let digests = ask(
        &bus.socket,
        messages.map(|message| format!("sha {}", hex(message))).each_ref().map(|s| s.as_str()),
    );
    for (message, digest) in messages.iter().zip(&digests) {
        assert_eq!(digest.bytes(), openssl::sha256(message), "{} bytes", message.len());
    }
}

/// The key is in TempKey.
#[test]
fn hmac_of_messages_of_every_kind_of_length() {
    let chip = Chip::new();
    let bus = chip.serve();
    let option = format!("hexkey:{}", &hex(&KEY)[2..]);
    for length in [0, 1, 64, MESSAGE.len()] {
        let message = &MESSAGE[..length];
        let [loaded, digest] = ask(
            &bus.socket,
            [&format!("load_tempkey {}", hex(&KEY)), &format!("hmac_tempkey {}", hex(message))],
        );
        loaded.succeeded();
        let expected =
            openssl::filter(&["dgst", "-sha256", "-mac", "HMAC", "-macopt", &option, "-binary"], message);
        assert_eq!(digest.bytes(), expected, "{length} bytes");
    }
}

/// Slot 9 holds up to four AES keys.
#[test]
fn aes_with_each_key_of_slot_9() {
    let chip = Chip::new();
    let bus = chip.serve();
    let keys: Vec<u8> = (0..64).collect();
    let [one, other] = ask(
        &bus.socket,
        [&format!("write 9 0 {}", hex(&keys[..32])), &format!("write 9 32 {}", hex(&keys[32..]))],
    );
    [one, other].iter().for_each(|answer| answer.succeeded());
    let text = *b"sixteen bytes...";
    for (block, key) in keys.chunks(16).enumerate() {
        let key = &hex(key)[2..];
        let ciphertext = openssl::filter(&["enc", "-aes-128-ecb", "-nopad", "-K", key], &text);
        let [encrypted, decrypted] = ask(
            &bus.socket,
            [
                &format!("aes_encrypt 9 {block} {}", hex(&text)),
                &format!("aes_decrypt 9 {block} {}", hex(&ciphertext)),
            ],
        );
        assert_eq!(encrypted.bytes(), ciphertext, "key {block}");
        assert_eq!(decrypted.bytes(), text, "key {block}");
    }
}

/// Over a random nonce, which the configuration of slot 6 asks for.
#[test]
fn a_mac_is_over_key_nonce_and_serial_number() {
    let chip = Chip::new();
    let bus = chip.serve();
    let number_in = [0x77; 20];
    let [written, serial, random, mac] = ask(
        &bus.socket,
        [
            &format!("write 6 0 {}", hex(&KEY)),
            "serial",
            &format!("nonce_random {}", hex(&number_in)),
            &format!("mac 1 6 {}", hex(&[0; 32])),
        ],
    );
    written.succeeded();
    let serial = serial.bytes();
    // Opcode, mode and a zero end the message of Nonce; those of MAC stand behind key and nonce.
    let nonce = openssl::sha256(&[&random.bytes()[..], &number_in, &[0x16, 0x00, 0x00]].concat());
    let expected =
        [&KEY[..], &nonce, &[0x08, 0x01, 0x06, 0x00], &[0; 11], &serial[8..], &[0; 4], &serial[..2], &[0; 2]]
            .concat();
    assert_eq!(mac.bytes(), openssl::sha256(&expected));
}

#[test]
fn who_knows_the_key_passes_checkmac_and_nobody_else() {
    let chip = Chip::new();
    let bus = chip.serve();
    let [written, right, wrong] = ask(
        &bus.socket,
        [
            &format!("write 6 0 {}", hex(&KEY)),
            &format!("prove 6 {}", hex(&KEY)),
            &format!("prove 6 {}", hex(&[0x11; 32])),
        ],
    );
    written.succeeded();
    right.succeeded();
    wrong.ended_with("ATCA_CHECKMAC_VERIFY_FAILED");
}

/// The pseudorandom function of TLS 1.2 (RFC 5246, section 5) from a key in TempKey.
#[test]
fn kdf_prf_derives_the_keys_of_tls_1_2() {
    let chip = Chip::new();
    let bus = chip.serve();
    let seed = b"key expansion and sixteen bytes more";
    // Source TempKey, target output buffer, PRF; the length of the seed, a key of 32 bytes and 64 of output.
    let details = (seed.len() << 24) | 0x0101;
    let [loaded, derived] = ask(
        &bus.socket,
        [&format!("load_tempkey {}", hex(&KEY)), &format!("kdf 0x10 0 {details} {}", hex(seed))],
    );
    loaded.succeeded();
    let (secret, seed) = (format!("hexsecret:{}", &hex(&KEY)[2..]), format!("hexseed:{}", &hex(seed)[2..]));
    let arguments = [
        "kdf",
        "-binary",
        "-keylen",
        "64",
        "-kdfopt",
        "digest:SHA256",
        "-kdfopt",
        &secret,
        "-kdfopt",
        &seed,
        "TLS1-PRF",
    ];
    assert_eq!(derived.bytes()[..64], openssl::filter(&arguments, b""));
}
