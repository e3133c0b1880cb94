//! Private keys that come from outside, that live for one transaction, whose secret stays, or whose use is limited.

use atecc_emulator::provision::Personality;

use super::{
    library::{ask, ask_at, hex},
    openssl::{self, HostKey},
    test_part::{PARENT, ask_test_part, test_part, zone},
};
use crate::support::Chip;

const DIGEST: [u8; 32] = [0x5a; 32];

/// PrivWrite into slot 7, whose write key is in slot 4.
#[test]
fn a_private_key_from_outside_comes_in_encrypted_only() {
    let chip = test_part();
    let bus = chip.serve();
    let host = HostKey::new();
    let key = hex(&[&[0; 4][..], &host.private_key()].concat());
    let [clear, wrong, elsewhere, written, public, signature] = ask_test_part(
        &bus.socket,
        [
            &format!("priv_write_in_clear 7 {key}"),
            &format!("priv_write 7 {key} 4 {}", hex(&[0; 32])),
            // Slot 2 makes its keys itself.
            &format!("priv_write 2 {key} 4 {}", hex(&PARENT)),
            &format!("priv_write 7 {key} 4 {}", hex(&PARENT)),
            "pubkey 7",
            &format!("sign 7 {}", hex(&DIGEST)),
        ],
    );
    [clear, wrong, elsewhere].iter().for_each(|answer| answer.failed());
    written.succeeded();
    assert_eq!(public.bytes(), host.public_key());
    assert!(openssl::verifies(&host.public_key(), &DIGEST, &signature.bytes()));
}

#[test]
fn no_private_key_comes_into_a_tngtls() {
    let chip = Chip::new();
    let bus = chip.serve();
    let key = hex(&[&[0; 4][..], &HostKey::new().private_key()].concat());
    for slot in 0..5 {
        let [written, clear] = ask(
            &bus.socket,
            [
                &format!("priv_write {slot} {key} 6 {}", hex(&[0; 32])),
                &format!("priv_write_in_clear {slot} {key}"),
            ],
        );
        [written, clear].iter().for_each(|answer| answer.failed());
    }
}

/// GenKey into TempKey, and ECDH from there.
#[test]
fn an_ephemeral_key_agrees_on_a_secret() {
    let chip = test_part();
    let bus = chip.serve();
    let host = HostKey::new();
    let point = hex(&host.public_key());
    let [key, secret, other_key, masked, none] = ask_test_part(
        &bus.socket,
        [
            "genkey_ephemeral",
            &format!("ecdh_tempkey {point}"),
            "genkey_ephemeral",
            &format!("ecdh_tempkey_protected {point} {}", hex(&PARENT)),
            // The key was used up.
            &format!("ecdh_tempkey {point}"),
        ],
    );
    assert_eq!(secret.bytes(), host.agree(&key.bytes()));
    assert_ne!(key.bytes(), other_key.bytes());
    assert_eq!(masked.bytes(), host.agree(&other_key.bytes()));
    none.failed();
}

/// Until which value of counter 0 the keys of limited use work: CountMatch of the test part names slot 10, which holds
/// the limit twice.
fn limit(count: u32) -> String {
    format!("write 10 0 {}", hex(&[count.to_le_bytes(); 2].concat()))
}

/// The secret of slot 0 goes into slot 1, which is read with the key in slot 4.
#[test]
fn a_secret_that_stays_in_the_chip_is_read_encrypted() {
    let chip = test_part();
    let bus = chip.serve();
    let host = HostKey::new();
    let point = hex(&host.public_key());
    let [limited, key, stored, clear] = ask_test_part(
        &bus.socket,
        [&limit(10), "genkey 0", &format!("ecdh_stored 0 {point} {} 4", hex(&PARENT)), "read 1 0 32"],
    );
    limited.succeeded();
    assert_eq!(stored.bytes(), host.agree(&key.bytes()));
    clear.failed();
}

/// Slot 0 of the test part has LimitedUse: each use moves counter 0 on, up to the limit.
#[test]
fn a_key_of_limited_use_works_up_to_its_limit() {
    let chip = test_part();
    let bus = chip.serve();
    let sign = format!("sign 0 {}", hex(&DIGEST));
    let answers = ask_test_part(
        &bus.socket,
        [
            &limit(2),
            "genkey 0",
            "counter 0",
            &sign,
            &sign,
            "counter 0",
            &sign,
            "counter 0",
            &limit(3),
            &sign,
            "counter 0",
        ],
    );
    assert_eq!([2, 5, 7, 10].map(|index: usize| answers[index].number()), [0, 2, 2, 3]);
    for index in [0, 1, 3, 4, 8, 9] {
        answers[index].succeeded();
    }
    answers[6].ended_with("ATCA_EXECUTION_ERROR");
    assert!(openssl::verifies(&answers[1].bytes(), &DIGEST, &answers[9].bytes()));
}

/// The same without a limit in a slot: at the end of the counter there is no use left.
#[test]
fn a_key_of_limited_use_ends_with_its_counter() {
    /// The last value of a counter (section 5.1.1).
    const END: u32 = 2_097_151;
    let eeprom = Personality::Blank.make().unwrap();
    let new = *eeprom.configuration().as_bytes();
    let mut zone = zone();
    // Identity and address of the part stay; CountMatch is off.
    zone[..18].copy_from_slice(&new[..18]);
    zone[18] = 0x00;
    let chip = Chip::holding(&eeprom);
    let bus = chip.serve();
    let sign = format!("sign 0 {}", hex(&DIGEST));
    let configure = format!("write_config {}", hex(&zone));
    let count = format!("write_config_counter 0 {}", END - 2);
    let calls = [
        &configure,
        &count,
        "lock_config",
        "genkey 0",
        "lock_data",
        "counter 0",
        &sign,
        "counter 0",
        &sign,
        "counter 0",
        &sign,
        "counter 0",
        "count 0",
    ]
    .map(str::to_owned);
    let answers = ask_at(&bus.socket, zone[16], &calls);
    answers[..10].iter().for_each(|answer| answer.succeeded());
    let counts = [5, 7, 9, 11].map(|index: usize| answers[index].number());
    assert_eq!(counts, [END - 2, END - 1, END, END]);
    assert!(openssl::verifies(&answers[3].bytes(), &DIGEST, &answers[8].bytes()));
    [&answers[10], &answers[12]].into_iter().for_each(|answer| answer.ended_with("ATCA_EXECUTION_ERROR"));
}
