//! The formulas, against values that were computed apart from this driver.

extern crate std;

use std::{string::String, vec::Vec};

use super::*;
use crate::{
    Configuration, PublicKey, Signature, Slot,
    command::{
        Command, Mac, MacInput, NonceOrigin, NonceRandom, SecureBootCheck, SecureBootProtected, SignInternal,
        VerifyKey, VerifyWithMac,
    },
    irreversible::{Irreversible, OverwritesData},
    packet::Response,
};

fn bytes<const N: usize>(first: u8) -> [u8; N] {
    core::array::from_fn(|index| first.wrapping_add(index as u8))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| std::format!("{byte:02x}")).collect()
}

fn slot(number: u8) -> Slot {
    Slot::new(number).unwrap()
}

fn serial() -> SerialNumber {
    SerialNumber::from_bytes([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01])
}

fn shared() -> Secret<32> {
    Secret::from_bytes(bytes(0x11))
}

fn temp_key() -> TempKey {
    nonce::random(&NonceRandom { input: &bytes(0x30) }, &bytes(0x60))
}

fn session_key() -> TempKey {
    session::key(&temp_key(), slot(6), &shared(), &serial())
}

#[test]
fn nonce_and_gendig() {
    assert_eq!(
        hex(temp_key().as_bytes()),
        "7e6e1415d0a77f1b9301a26840002ed13a3e5710de88e2738af6669a6dd7c6b7"
    );
    assert_eq!(
        hex(session_key().as_bytes()),
        "bba415ad2969c115ffd3cc0a7e304cc3cf3212161686caed60eb6ae42e9f6eb0"
    );
}

#[test]
fn encrypted_writes_and_reads() {
    let plain = Secret::from_bytes(bytes(0xe0));
    let (data, mac) = write::block(&session_key(), slot(5), 1, &plain, &serial());
    assert_eq!(hex(&data), "5b45f74ecd8c27f2173a26e192dda22c3fc3e0e5e2733c1a9812901fd262904f");
    assert_eq!(hex(&mac), "5e097468cf63c37c76652cfb739624f060ca682c92945a65a720c4a7c374d210");
    assert_eq!(write::decrypt(&session_key(), &data).as_bytes(), plain.as_bytes());
    let (value, mac) = write::private_key(&session_key(), slot(2), &plain, &serial());
    assert_eq!(hex(&value), "bba415adc98823f61b362aed96d9a62823dffcf9e677381e941e9c13d666944bc46050ea");
    assert_eq!(hex(&mac), "3bf299750d75e5bd8ad624b4342469cfd427b742c5c6b09945968b376cdfb19f");
}

#[test]
fn protected_outputs() {
    let answer: Vec<u8> = [bytes::<64>(0x00).as_slice(), &bytes::<32>(0x70)].concat();
    let long = output::Protected::<64>::from_response(&Response::new(&answer).unwrap()).unwrap();
    assert_eq!(
        hex(long.open(&shared()).as_bytes()),
        "01aeff90fd71d045ab5157af358a2580f17971d3cd3cd3d904014b88fc483821dadc122e797defcf09703badf29ad897fc9e19abf7a735b5cf8deaaa5069d853"
    );
    let answer: Vec<u8> = [bytes::<32>(0x00).as_slice(), &bytes::<32>(0x70)].concat();
    let short = output::Protected::<32>::from_response(&Response::new(&answer).unwrap()).unwrap();
    assert_eq!(
        hex(short.open(&shared()).as_bytes()),
        "01aeff90fd71d045ab5157af358a2580f17971d3cd3cd3d904014b88fc483821"
    );
}

#[test]
fn macs() {
    let input = MacInput::KeyAndChallenge { key: slot(5), challenge: &bytes(0x00) };
    let plain = Mac { input, include_serial: false };
    let diversified = Mac { input, include_serial: true };
    let response = |mac| hex(&mac::response(mac, shared().as_bytes(), &bytes(0x00), &serial()));
    assert_eq!(response(&plain), "467a9485f4ae78632337342f06a483c7e204596be8402f845287c4d2fe6911da");
    assert_eq!(response(&diversified), "4e603c89bd9a0ccdcf006ae2d81e260d6c2fdafd0f73293e80e4e61da9f50490");
    assert_eq!(hex(&mac::other_data(&diversified, &serial())), "0840050000000089abcdef4567");
}

#[test]
fn derived_keys() {
    let derived = derive_key::derived(&shared(), slot(3), NonceOrigin::Fixed, &temp_key(), &serial());
    assert_eq!(hex(derived.as_bytes()), "0f106f15dc6cd0854c62c106d00f4650fb2700c004ba2942419c82d83d991a92");
    let mac = derive_key::authorizing_mac(&shared(), slot(3), NonceOrigin::Fixed, &serial());
    assert_eq!(hex(&mac), "cbe6284f4bdd6b706667f36f08a35a68d69137c0a4cec8bbe31dce1971a30a20");
}

#[test]
fn secure_boot_protection() {
    let key = secure_boot::SecureBootKey::new(&shared(), &temp_key());
    let digest = bytes(0x00);
    assert_eq!(
        hex(&key.encrypt(&digest)),
        "25082944e570bf193060773885de9905bfefd61d3563f54924431ceb1cd197e4"
    );
    let stored = SecureBootCheck::Stored;
    let command = SecureBootProtected { check: &stored, encrypted_digest: &digest };
    assert_eq!(
        hex(&key.mac(&command, &digest, None)),
        "ee723b890df5f432bfc6a0271da98065d518056e9f8f47c4e3dd2e0832217544"
    );
    let signature = Signature::from_bytes(bytes(0x80));
    let copy = SecureBootCheck::FullCopy(&signature, Irreversible::i_understand(OverwritesData));
    let command = SecureBootProtected { check: &copy, encrypted_digest: &digest };
    assert_eq!(
        hex(&key.mac(&command, &digest, None)),
        "4f225fa805666974166d4e0f360c4b2c21a7a70cce776213186df72f375d5db8"
    );
}

#[test]
fn verify_mac() {
    let signature = Signature::from_bytes(bytes(0x80));
    let command = VerifyWithMac { signature: &signature, key: VerifyKey::Stored(slot(11)) };
    assert_eq!(
        hex(&verify::mac(&command, &shared(), &bytes(0x00), &bytes(0x70))),
        "9a380414caef1fd9470a78336b0923046175465c394d4e31ca1c1e88fc737354"
    );
}

#[test]
fn attestations() {
    let mut zone = [0xff; 128];
    zone[..4].copy_from_slice(&[0x01, 0x23, 0x45, 0x67]);
    zone[8..13].copy_from_slice(&[0x89, 0xab, 0xcd, 0xef, 0x01]);
    zone[24..26].copy_from_slice(&[0x85, 0x20]);
    zone[100..102].copy_from_slice(&[0x73, 0x00]);
    let configuration = Configuration::from_bytes(zone);
    let sign = SignInternal { key: slot(1), include_serial: true, for_invalidation: false };
    let key = PublicKey::from_bytes(bytes(0x40));
    let temp_key = attestation::key_digest(&temp_key(), slot(2), &key, &serial());
    assert_eq!(hex(temp_key.as_bytes()), "40605f64e4987263872de0da512fd4eac5a6db15eb5d3e72880c50def998628b");
    let digest = attestation::message_digest(&sign, &temp_key, slot(2), NonceOrigin::Random, &configuration);
    assert_eq!(hex(&digest), "38273e03706bd86349c8d8ce015478a67c2951817799c760bf0632e058e8d197");
    assert_eq!(sign.packet().param1(), 0x40);
}

#[test]
fn equality_of_macs() {
    assert!(is_equal(&[7; 32], &[7; 32]));
    let mut other = [7; 32];
    other[31] ^= 1;
    assert!(!is_equal(&[7; 32], &other));
}
