//! Keys, signatures and their verification.

use atecc::{PublicKey, Signature, Slot};
use atecc_token::Token;

use super::{
    library::{Answer, ask, hex},
    openssl,
};
use crate::support::{Chip, ServedBus, run};

const DIGEST: [u8; 32] = [0x5a; 32];
const OTHER_DIGEST: [u8; 32] = [0xa5; 32];

fn token(bus: &ServedBus) -> Token {
    Token::open(&bus.device().parse().unwrap()).unwrap()
}

/// Openssl's opinion and ours, which must be one.
#[track_caller]
fn verifies(public_key: &[u8; 64], digest: &[u8; 32], signature: &[u8; 64]) -> bool {
    let ours = PublicKey::from_bytes(*public_key).verify(digest, &Signature::from_bytes(*signature));
    assert_eq!(ours, openssl::verifies(public_key, digest, signature), "openssl has another opinion");
    ours
}

#[test]
fn the_public_key_is_the_one_that_we_read() {
    let chip = Chip::new();
    let bus = chip.serve();
    let [key] = ask(&bus.socket, ["pubkey 0"]);
    assert_eq!(&key.array(), token(&bus).public_key(Slot::PRIMARY_KEY).unwrap().as_bytes());
}

#[test]
fn its_signatures_verify_with_openssl_and_with_ours() {
    let chip = Chip::new();
    let bus = chip.serve();
    let sign = format!("sign 0 {}", hex(&DIGEST));
    let [key, one, other] = ask(&bus.socket, ["pubkey 0", &sign, &sign]);
    for signature in [&one, &other] {
        assert!(verifies(&key.array(), &DIGEST, &signature.array()));
        assert!(!verifies(&key.array(), &OTHER_DIGEST, &signature.array()));
    }
    assert_ne!(one, other, "two signatures with one nonce give the key away");
}

#[test]
fn it_verifies_our_signatures_and_refuses_forged_ones() {
    let chip = Chip::new();
    let bus = chip.serve();
    let token = token(&bus);
    let key = hex(token.public_key(Slot::PRIMARY_KEY).unwrap().as_bytes());
    let signature = hex(token.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap().as_bytes());
    let [good, forged] = ask(
        &bus.socket,
        [
            &format!("verify {} {signature} {key}", hex(&DIGEST)),
            &format!("verify {} {signature} {key}", hex(&OTHER_DIGEST)),
        ],
    );
    assert_eq!([good, forged].map(|answer| answer.number()), [1, 0]);
}

/// Slot 11 holds the key of the signer, who signed the chip's certificate.
#[test]
fn the_key_in_slot_11_verifies_the_certificate_of_the_chip() {
    let chip = Chip::new();
    let bus = chip.serve();
    let der = run(std::process::Command::new("openssl")
        .args(["x509", "-outform", "DER", "-in"])
        .arg(chip.path("device.pem")))
    .succeeded()
    .stdout;
    let digest = openssl::sha256(atecc::certificate::to_be_signed(&der).unwrap());
    // The first 64 bytes of a compressed certificate are its signature.
    let [certificate] = ask(&bus.socket, ["read 10 0 72"]);
    let signature = hex(&certificate.bytes()[..64]);
    let [good, other, key] = ask(
        &bus.socket,
        [
            &format!("verify_stored {} {signature} 11", hex(&digest)),
            &format!("verify_stored {} {signature} 11", hex(&OTHER_DIGEST)),
            "read_pubkey 11",
        ],
    );
    assert_eq!([good, other].map(|answer| answer.number()), [1, 0]);
    assert!(verifies(&key.array(), &digest, certificate.bytes()[..64].try_into().unwrap()));
}

#[test]
fn a_new_key_in_slot_2_signs_and_the_one_before_is_gone() {
    let chip = Chip::new();
    let bus = chip.serve();
    let [before, new, read] = ask(&bus.socket, ["pubkey 2", "genkey 2", "pubkey 2"]);
    assert_ne!(before.bytes(), new.bytes());
    assert_eq!(new.bytes(), read.bytes());
    let [signature] = ask(&bus.socket, [&format!("sign 2 {}", hex(&DIGEST))]);
    assert!(verifies(&new.array(), &DIGEST, &signature.array()));
    assert_eq!(&new.array(), token(&bus).public_key(Slot::new(2).unwrap()).unwrap().as_bytes());
}

/// The primary key is permanent, slot 1 signs what the chip made only, slot 8 is no key.
#[test]
fn what_the_configuration_forbids_is_refused() {
    let chip = Chip::new();
    let bus = chip.serve();
    let [key, replaced, internal, data, unchanged] = ask(
        &bus.socket,
        [
            "pubkey 0",
            "genkey 0",
            &format!("sign 1 {}", hex(&DIGEST)),
            &format!("sign 8 {}", hex(&DIGEST)),
            "pubkey 0",
        ],
    );
    let refused = |answer: &Answer| answer.ended_with("ATCA_EXECUTION_ERROR");
    [&replaced, &internal, &data].into_iter().for_each(refused);
    assert_eq!(key.bytes(), unchanged.bytes());
}
