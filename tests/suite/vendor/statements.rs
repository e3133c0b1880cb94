//! What the chip says about its keys, and what it believes of others: internal signatures, validated public keys,
//! answers with a MAC, secure boot, and the bytes that are set once.

use atecc::{Configuration, Device, Slot, i2c::I2cTransport};
use atecc_emulator::{Clock, socket::SocketBus};

use super::{
    library::{ask, ask_at, hex},
    openssl::{self, HostKey},
};
use crate::support::Chip;

const DIGEST: [u8; 32] = [0x5a; 32];
const NONCE: [u8; 32] = [0x4e; 32];
const IO_KEY: [u8; 32] = *b"the IO protection key of a part.";

/// The digest that GenKey leaves in TempKey of the public key in or of `slot`.
fn key_digest(zone: &[u8], command: [u8; 4], nonce: &[u8], key: &[u8]) -> [u8; 32] {
    openssl::sha256(&[nonce, &command, &zone[12..13], &zone[..2], &[0; 25], key].concat())
}

/// OtherData of a statement about `slot` (TFLXTLS, DS40002138A, table 5-71), without the serial number.
fn other_data(zone: &[u8], mode: u8, key: u8, slot: u8, is_fixed: bool) -> [u8; 19] {
    let (slot_config, key_config) = (20 + 2 * usize::from(slot), 96 + 2 * usize::from(slot));
    let mut other = [0; 19];
    other[0] = mode;
    other[1] = key;
    other[3..5].copy_from_slice(&zone[slot_config..slot_config + 2]);
    other[5..7].copy_from_slice(&zone[key_config..key_config + 2]);
    other[7] = 0x40 | if is_fixed { 0x10 } else { 0x00 } | slot;
    other[16] = 1;
    other[17] = mode & 0x01;
    other
}

/// The digest of a statement: that of the key, the command Sign, and OtherData with the serial number in between.
fn statement(zone: &[u8], key_digest: &[u8], other: &[u8; 19]) -> [u8; 32] {
    let serial = [&zone[12..13], &other[10..14], &zone[..2]].concat();
    openssl::sha256(&[key_digest, &[0x41], &other[..10], &serial, &other[14..]].concat())
}

/// Slot 1 states which key is in slot 2, to the vendor's library and to our driver, and either is right about it.
#[test]
fn slot_1_states_which_key_is_in_slot_2() {
    let chip = Chip::new();
    let bus = chip.serve();
    let input = [0x21; 20];
    let [config, attester, random, digest, statement_2, refused] = ask(
        &bus.socket,
        [
            "config",
            "pubkey 1",
            &format!("nonce_random {}", hex(&input)),
            "genkey_digest 0x08 2 x:000000",
            "sign_internal 1 0 1",
            // Slot 0 signs what comes from outside only.
            "sign_internal 0 0 1",
        ],
    );
    let [key] = ask(&bus.socket, ["pubkey 2"]);
    digest.succeeded();
    refused.failed();
    let zone = config.bytes();
    let nonce = openssl::sha256(&[&random.bytes()[..], &input, &[0x16, 0x00, 0x00]].concat());
    let digest = key_digest(&zone, [0x40, 0x08, 0x02, 0x00], &nonce, &key.bytes());
    let mut other = other_data(&zone, 0x40, 1, 2, false);
    // With the whole serial number: bytes 4 to 7, then 2 and 3.
    other[10..14].copy_from_slice(&zone[8..12]);
    other[14..16].copy_from_slice(&zone[2..4]);
    let message = statement(&zone, &digest, &other);
    assert!(openssl::verifies(&attester.bytes(), &message, &statement_2.bytes()));

    let socket = SocketBus::connect(&bus.socket).unwrap();
    let mut ours = Device::new(I2cTransport::new(socket, Clock::real(), 0x35));
    let zone = Configuration::from_bytes(zone.try_into().unwrap());
    let slot = |number| Slot::new(number).unwrap();
    let attestation = ours.attest(slot(2), slot(1), &zone, &input).unwrap();
    let verify = format!(
        "verify {} {} {}",
        hex(&attestation.message_digest),
        hex(attestation.signature.as_bytes()),
        hex(&attester.bytes())
    );
    assert_eq!(ask(&bus.socket, [&verify])[0].number(), 1);
    assert_eq!(attestation.public_key.as_bytes()[..], key.bytes());
}

/// Slot 14 of a TNGTLS: a public key that counts when the key in slot 13 says so, and is overwritten only until
/// then (PubInvalid).
#[test]
fn a_public_key_counts_and_stays_while_its_authority_says_so() {
    let chip = Chip::new();
    let bus = chip.serve();
    let (authority, host) = (HostKey::new(), HostKey::new());
    let [config] = ask(&bus.socket, ["config"]);
    let zone = config.bytes();
    let digest = key_digest(&zone, [0x40, 0x10, 0x0e, 0x00], &NONCE, &host.public_key());
    // GenKey hashes what it was given in place of the command.
    let order = |mode: u8| {
        let other = other_data(&zone, mode, 13, 14, true);
        let signature = authority.sign(&statement(&zone, &digest, &other));
        format!("14 {} {}", hex(&signature), hex(&other))
    };
    let (validate, invalidate) = (order(0x00), order(0x01));
    let load = format!("load_tempkey {}", hex(&NONCE));
    let hash = "genkey_digest 0x10 14 x:100e00";
    let verify = format!("verify_stored {} {} 14", hex(&DIGEST), hex(&host.sign(&DIGEST)));
    let write = format!("write_pubkey 14 {}", hex(&host.public_key()));
    let answers = ask(
        &bus.socket,
        [
            &format!("write_pubkey 13 {}", hex(&authority.public_key())),
            &write,
            &verify,
            // A statement of somebody else.
            &load,
            hash,
            &format!("validate 14 {} {}", hex(&host.sign(&DIGEST)), hex(&other_data(&zone, 0, 13, 14, true))),
            &load,
            hash,
            &format!("validate {validate}"),
            &verify,
            &write,
            &format!("write 14 32 {}", hex(&[0; 32])),
            &load,
            hash,
            &format!("invalidate {invalidate}"),
            &verify,
            &write,
        ],
    );
    for index in [0, 1, 3, 4, 6, 7, 12, 13, 16] {
        answers[index].succeeded();
    }
    assert_eq!([5, 8, 9, 14].map(|index| answers[index].number()), [0, 1, 1, 1]);
    // Not yet, not any more; not while it counts.
    for index in [2, 15, 10, 11] {
        answers[index].ended_with("ATCA_EXECUTION_ERROR");
    }
}

/// Verify with an answer that nobody on the bus can forge.
#[test]
fn verify_answers_with_a_mac_under_the_io_protection_key() {
    let chip = Chip::new();
    let bus = chip.serve();
    let host = HostKey::new();
    let (key, signature) = (hex(&host.public_key()), hex(&host.sign(&DIGEST)));
    let (digest, nonce, io_key) = (hex(&DIGEST), hex(&NONCE), hex(&IO_KEY));
    let [written, stored, external, from_slot, forged, wrong_key] = ask(
        &bus.socket,
        [
            &format!("write 6 0 {io_key}"),
            &format!("write_pubkey 15 {key}"),
            &format!("verify_mac {digest} {signature} {key} {nonce} {io_key}"),
            &format!("verify_stored_mac {digest} {signature} 15 {nonce} {io_key}"),
            &format!("verify_mac {nonce} {signature} {key} {nonce} {io_key}"),
            // The library computes another MAC than the chip.
            &format!("verify_mac {digest} {signature} {key} {nonce} {nonce}"),
        ],
    );
    [written, stored].iter().for_each(|answer| answer.succeeded());
    assert_eq!([external, from_slot, forged, wrong_key].map(|answer| answer.number()), [1, 1, 0, 0]);
}

/// SecureBoot of a TNGTLS as it is configured: the key in slot 15, and the digest of the last good code in slot 7.
#[test]
fn code_boots_by_its_signature_and_then_by_its_digest() {
    let chip = Chip::new();
    let bus = chip.serve();
    let host = HostKey::new();
    let (digest, other) = (hex(&DIGEST), hex(&NONCE));
    let (signature, io_key) = (hex(&host.sign(&DIGEST)), hex(&IO_KEY));
    let answers = ask(
        &bus.socket,
        [
            &format!("write 6 0 {io_key}"),
            &format!("write_pubkey 15 {}", hex(&host.public_key())),
            // Full, then FullCopy, then FullStore.
            &format!("secure_boot 5 {digest} {signature}"),
            &format!("secure_boot 5 {other} {signature}"),
            &format!("secure_boot 7 {digest} {signature}"),
            &format!("secure_boot 6 {digest} x:"),
            &format!("secure_boot 6 {other} x:"),
            &format!("secure_boot_protected 5 {digest} {signature} {io_key}"),
            &format!("secure_boot_protected 6 {digest} x: {io_key}"),
            // The library takes the answer of somebody without the key for none.
            &format!("secure_boot_protected 6 {digest} x: {other}"),
        ],
    );
    for index in [0, 1, 2, 4, 5] {
        answers[index].succeeded();
    }
    for index in [3, 6] {
        answers[index].ended_with("ATCA_CHECKMAC_VERIFY_FAILED");
    }
    assert_eq!([7, 8].map(|index| answers[index].number()), [1, 1]);
    assert!(!answers[9].is_success() || answers[9].number() == 0);
}

/// UserExtra, and UserExtraAdd, which is the address of the chip from the next wake on.
#[test]
fn the_extra_bytes_are_set_once() {
    let chip = Chip::new();
    let bus = chip.serve();
    let [set, again, address, asleep] =
        ask(&bus.socket, ["update_extra 0 0x5a", "update_extra 0 0x5b", "update_extra 1 0x6e", "sleep"]);
    set.succeeded();
    again.ended_with("ATCA_EXECUTION_ERROR");
    [address, asleep].iter().for_each(|answer| answer.succeeded());
    let moved = ask_at(&bus.socket, 0x6e, &["config".to_owned(), "update_extra 1 0x6a".to_owned()]);
    assert_eq!(moved[0].bytes()[84..86], [0x5a, 0x6e]);
    moved[1].ended_with("ATCA_EXECUTION_ERROR");
}
