//! Modes of AES that the vendor's library makes of the chip's command, with the keys of slot 9.

use super::{
    library::{ask, hex},
    openssl,
};
use crate::support::{Chip, unhex};

const VECTOR: [u8; 16] = *b"any vector of 16";
const TEXT: [u8; 48] = *b"three blocks of text, which are forty-eight byte";

/// A chip with this key in slot 9.
fn chip_with(key: &[u8]) -> Chip {
    let chip = Chip::new();
    let bus = chip.serve();
    let [written] = ask(&bus.socket, [&format!("write 9 0 {}", hex(&[key, &[0; 16]].concat()))]);
    written.succeeded();
    drop(bus);
    chip
}

#[test]
fn cbc_and_ctr_are_those_of_openssl() {
    let key = *b"a key of AES 128";
    let chip = chip_with(&key);
    let bus = chip.serve();
    let openssl = |cipher: &str| {
        let (key, vector) = (hex(&key), hex(&VECTOR));
        openssl::filter(&["enc", cipher, "-nopad", "-K", &key[2..], "-iv", &vector[2..]], &TEXT)
    };
    let (vector, cbc) = (hex(&VECTOR), openssl("-aes-128-cbc"));
    let [encrypted, decrypted, counted] = ask(
        &bus.socket,
        [
            &format!("aes_cbc_encrypt 9 0 {vector} {}", hex(&TEXT)),
            &format!("aes_cbc_decrypt 9 0 {vector} {}", hex(&cbc)),
            &format!("aes_ctr 9 0 {vector} {}", hex(&TEXT)),
        ],
    );
    assert_eq!(encrypted.bytes(), cbc);
    assert_eq!(decrypted.bytes(), TEXT);
    assert_eq!(counted.bytes(), openssl("-aes-128-ctr"));
}

#[test]
fn cmac_is_that_of_openssl() {
    let key = *b"a key of AES 128";
    let chip = chip_with(&key);
    let bus = chip.serve();
    let option = format!("hexkey:{}", &hex(&key)[2..]);
    for length in [0, 15, 16, 33, 48] {
        let [mac] = ask(&bus.socket, [&format!("aes_cmac 9 0 {}", hex(&TEXT[..length]))]);
        let arguments = ["mac", "-cipher", "AES-128-CBC", "-macopt", &option, "-binary", "-in", "-", "CMAC"];
        assert_eq!(mac.bytes(), openssl::filter(&arguments, &TEXT[..length]), "{length} bytes");
    }
}

/// Test case 4 of "The Galois/Counter Mode of Operation" (McGrew and Viega), which NIST has too.
#[test]
fn gcm_gives_the_published_ciphertext_and_tag() {
    let chip = chip_with(&unhex("feffe9928665731c6d6a8f9467308308"));
    let bus = chip.serve();
    let (vector, additional) = ("x:cafebabefacedbaddecaf888", "x:feedfacedeadbeeffeedfacedeadbeefabaddad2");
    let text = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525\
                b16aedf5aa0de657ba637b39";
    let ciphertext = "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051b\
                      a30b396a0aac973d58e091";
    let tag = "5bc94fbc3221a5db94fae95ae7121a47";
    let wrong = "5bc94fbc3221a5db94fae95ae7121a48";
    let decrypt = |tag: &str| format!("aes_gcm_decrypt 9 0 {vector} {additional} x:{ciphertext} x:{tag}");
    let [encrypted, decrypted, forged] = ask(
        &bus.socket,
        [&format!("aes_gcm_encrypt 9 0 {vector} {additional} x:{text}"), &decrypt(tag), &decrypt(wrong)],
    );
    assert_eq!(encrypted.bytes(), unhex(&format!("{ciphertext}{tag}")));
    assert_eq!(decrypted.bytes(), unhex(&format!("{text}01")));
    assert_eq!(forged.bytes().last(), Some(&0));
}

/// Example 3 of NIST SP 800-38C.
#[test]
fn ccm_gives_the_published_ciphertext_and_tag() {
    let chip = chip_with(&unhex("404142434445464748494a4b4c4d4e4f"));
    let bus = chip.serve();
    let numbers = |range: std::ops::RangeInclusive<u8>| hex(&range.collect::<Vec<u8>>());
    let (vector, additional, text) = (numbers(0x10..=0x1b), numbers(0x00..=0x13), numbers(0x20..=0x37));
    let [encrypted] = ask(&bus.socket, [&format!("aes_ccm_encrypt 9 0 {vector} {additional} {text} 8")]);
    let expected = "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951";
    assert_eq!(encrypted.bytes(), unhex(expected));
}

/// H, X1 and X2 of test case 2 of the same paper: X2 is (X1 + length) times H, X1 the ciphertext times H.
#[test]
fn the_product_in_the_field_of_ghash_is_the_published_one() {
    let chip = Chip::new();
    let bus = chip.serve();
    let h = "x:66e94bd4ef8a2c3b884cfa59ca342b2e";
    let [product] = ask(&bus.socket, [&format!("gfm {h} x:0388dace60b6a392f328c2b971b2fe78")]);
    assert_eq!(product.bytes(), unhex("5e2ec746917062882c85b0685353deb7"));
}

/// Nothing but slot 9 and TempKey holds an AES key in a TNGTLS.
#[test]
fn slots_without_an_aes_key_do_not_encrypt() {
    let chip = Chip::new();
    let bus = chip.serve();
    for slot in [0, 2, 5, 6, 8, 10, 15] {
        let [encrypted] = ask(&bus.socket, [&format!("aes_encrypt {slot} 0 {}", hex(&VECTOR))]);
        encrypted.ended_with("ATCA_EXECUTION_ERROR");
    }
}
