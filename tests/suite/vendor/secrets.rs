//! Symmetric keys in slots: DeriveKey, HMAC, MAC, CheckMac, GenDig and the modes of Nonce.

use super::{
    library::{ask, hex},
    openssl,
    test_part::{PARENT, SHORT_SERIAL, ask_test_part, framed, mac, test_part, zone},
};
use crate::support::Chip;

const OLD_KEY: [u8; 32] = *b"the key in the slot before it is";
const NONCE: [u8; 32] = [0x4e; 32];
const CHALLENGE: [u8; 32] = [0xc4; 32];

/// What Nonce in random mode leaves in TempKey.
fn random_nonce(random: &[u8], input: &[u8], mode: u8) -> [u8; 32] {
    openssl::sha256(&[random, input, &[0x16, mode, 0x00]].concat())
}

/// DeriveKey, with the slot itself as the parent. MAC with the new key shows which it is.
#[test]
fn a_key_rolls() {
    let chip = test_part();
    let bus = chip.serve();
    let [written, nonce, derived, answer] = ask_test_part(
        &bus.socket,
        [
            &format!("write_encrypted 9 0 {} {} 4", hex(&OLD_KEY), hex(&PARENT)),
            &format!("nonce_random {}", hex(&[0x21; 20])),
            "derive_key 0 9",
            &format!("mac 0 9 {}", hex(&CHALLENGE)),
        ],
    );
    [&written, &derived].into_iter().for_each(|answer| answer.succeeded());
    let nonce = random_nonce(&nonce.bytes(), &[0x21; 20], 0x00);
    let key = framed(&OLD_KEY, [0x1c, 0x00, 0x09, 0x00], &nonce);
    assert_eq!(answer.bytes(), mac(&key, &CHALLENGE, [0x08, 0x00, 0x09, 0x00]));
}

/// DeriveKey from another slot, on the word of somebody who knows that one's key.
#[test]
fn a_key_is_made_from_its_parent_with_a_mac() {
    let chip = test_part();
    let bus = chip.serve();
    let right = openssl::sha256(&[&PARENT[..], &[0x1c, 0x00, 0x03, 0x00], &SHORT_SERIAL].concat());
    let nonce = format!("nonce_random {}", hex(&[0x21; 20]));
    let [_, without, _, wrong, random, derived, answer] = ask_test_part(
        &bus.socket,
        [
            &nonce,
            "derive_key 0 3",
            &nonce,
            &format!("derive_key_with_mac 0 3 {}", hex(&[0; 32])),
            &nonce,
            &format!("derive_key_with_mac 0 3 {}", hex(&right)),
            &format!("mac 0 3 {}", hex(&CHALLENGE)),
        ],
    );
    without.ended_with("ATCA_EXECUTION_ERROR");
    wrong.failed();
    derived.succeeded();
    let nonce = random_nonce(&random.bytes(), &[0x21; 20], 0x00);
    let key = framed(&PARENT, [0x1c, 0x00, 0x03, 0x00], &nonce);
    assert_eq!(answer.bytes(), mac(&key, &CHALLENGE, [0x08, 0x00, 0x03, 0x00]));
}

/// None of its slots has the rule.
#[test]
fn no_key_of_a_tngtls_is_derived() {
    let chip = Chip::new();
    let bus = chip.serve();
    for slot in 0..16 {
        let [nonce, derived] = ask(
            &bus.socket,
            [&format!("nonce_random {}", hex(&[0x21; 20])), &format!("derive_key 0 {slot}")],
        );
        nonce.succeeded();
        // Slots 2 to 4 have the bit, but for GenKey: they hold private keys.
        derived.ended_with("ATCA_EXECUTION_ERROR");
    }
}

#[test]
fn hmac_with_a_key_in_a_slot() {
    let chip = test_part();
    let bus = chip.serve();
    let option = format!("hexkey:{}", &hex(&PARENT)[2..]);
    for message in [&b""[..], b"short", &[0x6d; 64], &[0x6d; 200]] {
        let [answer] = ask_test_part(&bus.socket, [&format!("hmac_slot 4 {}", hex(message))]);
        let expected =
            openssl::filter(&["dgst", "-sha256", "-mac", "HMAC", "-macopt", &option, "-binary"], message);
        assert_eq!(answer.bytes(), expected, "{} bytes", message.len());
    }
    // A private key is no key of an HMAC, and the command HMAC of earlier chips is gone.
    let [private, command] = ask_test_part(&bus.socket, ["hmac_slot 7 x:00", "hmac_command 4 4"]);
    private.failed();
    command.failed();
}

/// Each mode of MAC: which of the two halves come from TempKey, and where that came from.
#[test]
fn mac_in_each_mode() {
    let chip = test_part();
    let bus = chip.serve();
    let (load, challenge) = (format!("load_tempkey {}", hex(&NONCE)), hex(&CHALLENGE));
    let [_, key_and_tempkey, _, tempkey_and_challenge, _, tempkey_twice, wrong_source, whole_serial] =
        ask_test_part(
            &bus.socket,
            [
                &load,
                &format!("mac 0x05 4 {challenge}"),
                &load,
                &format!("mac 0x06 4 {challenge}"),
                &load,
                &format!("mac 0x07 4 {challenge}"),
                // It says that the chip made the nonce, and it did not.
                &format!("mac 0x01 4 {challenge}"),
                &format!("mac 0x40 4 {challenge}"),
            ],
        );
    assert_eq!(key_and_tempkey.bytes(), mac(&PARENT, &NONCE, [0x08, 0x05, 0x04, 0x00]));
    assert_eq!(tempkey_and_challenge.bytes(), mac(&NONCE, &CHALLENGE, [0x08, 0x06, 0x04, 0x00]));
    assert_eq!(tempkey_twice.bytes(), mac(&NONCE, &NONCE, [0x08, 0x07, 0x04, 0x00]));
    wrong_source.ended_with("ATCA_EXECUTION_ERROR");
    let zone = zone();
    let expected = [
        &PARENT[..],
        &CHALLENGE,
        &[0x08, 0x40, 0x04, 0x00],
        &[0; 11],
        &[SHORT_SERIAL[0]],
        &zone[8..12],
        &SHORT_SERIAL[1..],
        &zone[2..4],
    ];
    assert_eq!(whole_serial.bytes(), openssl::sha256(&expected.concat()));
}

/// CheckMac with the challenge in the command and in TempKey: the right response, and one with a bit changed.
#[test]
fn checkmac_in_each_mode() {
    let chip = test_part();
    let bus = chip.serve();
    let other: Vec<u8> = (1..=13).collect();
    let response = |first: &[u8], second: &[u8]| {
        let parts = [first, second, &other[..4], &[0; 8], &other[4..7], &SHORT_SERIAL[..1], &other[7..11]];
        openssl::sha256(&[&parts.concat(), &SHORT_SERIAL[1..], &other[11..]].concat())
    };
    for (mode, first, second) in
        [(0x00, &PARENT, &CHALLENGE), (0x05, &PARENT, &NONCE), (0x06, &NONCE, &CHALLENGE)]
    {
        let right = response(first, second);
        let mut wrong = right;
        wrong[31] ^= 0x01;
        let load = format!("load_tempkey {}", hex(&NONCE));
        let check = |response: &[u8]| {
            format!("checkmac {mode} 4 {} {} {}", hex(&CHALLENGE), hex(response), hex(&other))
        };
        let [_, good, _, bad] = ask_test_part(&bus.socket, [&load, &check(&right), &load, &check(&wrong)]);
        good.succeeded();
        bad.ended_with("ATCA_CHECKMAC_VERIFY_FAILED");
    }
}

/// GenDig over each of its sources; MAC shows what it left in TempKey.
#[test]
fn gendig_over_each_source() {
    let chip = test_part();
    let bus = chip.serve();
    let zone = zone();
    let zeros = [0; 32];
    let shared = [0x5d; 32];
    // Counter 0 counts 0; the rules and the lock of slot 4.
    let described = |command: [u8; 4], middle: &[u8]| {
        let rest = vec![0; 25 - middle.len()];
        openssl::sha256(&[&zeros[..], &command, &SHORT_SERIAL, middle, &rest, &NONCE].concat())
    };
    let rules = [0x00, zone[28], zone[29], zone[104], zone[105], 0x01];
    let cases: [(&str, Vec<u8>, [u8; 32]); 8] = [
        ("0 1", Vec::new(), framed(&zone[32..64], [0x15, 0x00, 0x01, 0x00], &NONCE)),
        ("1 0", Vec::new(), framed(&zeros, [0x15, 0x01, 0x00, 0x00], &NONCE)),
        ("2 4", Vec::new(), framed(&PARENT, [0x15, 0x02, 0x04, 0x00], &NONCE)),
        ("2 10", vec![0; 4], framed(&zeros, [0x15, 0x02, 0x0a, 0x00], &NONCE)),
        ("3 0", shared.to_vec(), framed(&shared, [0x15, 0x03, 0x00, 0x00], &NONCE)),
        ("3 0x8000", shared.to_vec(), framed(&NONCE, [0x15, 0x03, 0x00, 0x00], &shared)),
        ("4 0", Vec::new(), described([0x15, 0x04, 0x00, 0x00], &[0; 5])),
        ("5 4", Vec::new(), described([0x15, 0x05, 0x04, 0x00], &rules)),
    ];
    for (source, other, expected) in cases {
        let [loaded, digest, answer] = ask_test_part(
            &bus.socket,
            [
                &format!("load_tempkey {}", hex(&NONCE)),
                &format!("gendig {source} {}", hex(&other)),
                "mac 0x05 4 x:00",
            ],
        );
        loaded.succeeded();
        digest.succeeded();
        assert_eq!(answer.bytes(), mac(&PARENT, &expected, [0x08, 0x05, 0x04, 0x00]), "GenDig {source}");
    }
    // Not over a private key, and not over nothing.
    let [loaded, private, nothing] = ask_test_part(
        &bus.socket,
        [&format!("load_tempkey {}", hex(&NONCE)), "gendig 2 7 x:", "gendig 2 4 x:"],
    );
    loaded.succeeded();
    private.ended_with("ATCA_EXECUTION_ERROR");
    nothing.succeeded();
}

/// Nonce with and without a new seed, and over what is in TempKey, where the answer is TempKey itself.
#[test]
fn nonce_in_each_random_mode() {
    let chip = test_part();
    let bus = chip.serve();
    let input = [0x21; 20];
    for mode in [0x00, 0x01] {
        let [random, answer] =
            ask_test_part(&bus.socket, [&format!("nonce {mode} 0 {}", hex(&input)), "mac 0x01 4 x:00"]);
        let nonce = random_nonce(&random.bytes(), &input, mode);
        assert_eq!(answer.bytes(), mac(&PARENT, &nonce, [0x08, 0x01, 0x04, 0x00]), "mode {mode}");
    }
    let [loaded, shown, answer] = ask_test_part(
        &bus.socket,
        [
            &format!("load_tempkey {}", hex(&NONCE)),
            &format!("nonce 0 0x8000 {}", hex(&input)),
            "mac 0x01 4 x:00",
        ],
    );
    loaded.succeeded();
    let nonce = random_nonce(&NONCE, &input, 0x00);
    assert_eq!(shown.bytes(), nonce);
    assert_eq!(answer.bytes(), mac(&PARENT, &nonce, [0x08, 0x01, 0x04, 0x00]));
}
