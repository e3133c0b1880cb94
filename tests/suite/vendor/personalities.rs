//! The other parts: each operation on each slot is allowed or refused as the configuration zone says.

use std::fmt::Write;

use atecc::Slot;
use atecc_emulator::provision::Personality;

use super::{
    library::{ask_at, hex},
    openssl::{self, HostKey},
};
use crate::support::Chip;

/// SlotConfig and KeyConfig of one slot, by the tables of the data sheet (ATECC508A, sections 2.2.1 and 2.2.5).
struct Rules {
    slot: u16,
    key: u16,
}

impl Rules {
    fn of(zone: &[u8; 128], slot: usize) -> Self {
        let word = |at: usize| u16::from_le_bytes([zone[at], zone[at + 1]]);
        Self { slot: word(20 + 2 * slot), key: word(96 + 2 * slot) }
    }

    fn is_private_key(&self) -> bool {
        self.key & 0x0001 != 0
    }

    /// Read in clear text: neither secret nor encrypted.
    fn allows_read(&self) -> bool {
        self.slot & 0x00c0 == 0
    }

    /// Write in clear text: WriteConfig is Always, or PubInvalid while the slot holds no public key that was
    /// validated, which shows in its first half byte (section 4.5.1). Private keys take PrivWrite only.
    fn allows_write(&self, first: u8) -> bool {
        let is_open = match self.slot >> 12 {
            0x0 => true,
            0x1 => first >> 4 != 0x5,
            _ => false,
        };
        is_open && !self.is_private_key()
    }

    /// The public key: PubInfo.
    fn allows_public_key(&self) -> bool {
        self.is_private_key() && self.key & 0x0002 != 0
    }

    /// A new private key: bit 1 of WriteConfig.
    fn allows_new_key(&self) -> bool {
        self.is_private_key() && self.slot & 0x2000 != 0
    }

    /// Signatures of digests from outside: bit 0 of ReadKey.
    fn allows_sign(&self) -> bool {
        self.is_private_key() && self.slot & 0x0001 != 0
    }

    /// ECDH with the secret in clear text: bits 2 and 3 of ReadKey.
    fn allows_ecdh(&self) -> bool {
        self.is_private_key() && self.slot & 0x000c == 0x0004
    }
}

#[track_caller]
fn each_slot_obeys_its_configuration(personality: Personality) {
    let eeprom = personality.make().unwrap();
    let zone = *eeprom.configuration().as_bytes();
    let chip = Chip::holding(&eeprom);
    let bus = chip.serve();
    let (block, digest, point) = (hex(&[0x3c; 32]), hex(&[0x5a; 32]), hex(&HostKey::new().public_key()));
    let mut attempts = Vec::new();
    for slot in 0..16 {
        let rules = Rules::of(&zone, slot);
        attempts.extend([
            (format!("read {slot} 0 32"), rules.allows_read()),
            (format!("pubkey {slot}"), rules.allows_public_key()),
            (format!("sign {slot} {digest}"), rules.allows_sign()),
            (format!("ecdh {slot} {point}"), rules.allows_ecdh()),
            (format!("genkey {slot}"), rules.allows_new_key()),
        ]);
        let first = eeprom.slot(Slot::new(slot as u8).unwrap())[0];
        attempts.push((format!("write {slot} 0 {block}"), rules.allows_write(first)));
    }
    let calls: Vec<String> = attempts.iter().map(|(call, _)| call.clone()).collect();
    let answers = ask_at(&bus.socket, zone[16], &calls);
    let mut wrong = String::new();
    for ((call, is_allowed), answer) in attempts.iter().zip(&answers) {
        if answer.is_success() != *is_allowed {
            writeln!(wrong, "allowed: {is_allowed}, {call:.20}: {answer:?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{}:\n{wrong}", personality.part());
}

#[test]
fn each_slot_of_a_tngtls_with_template_3() {
    each_slot_obeys_its_configuration(Personality::TngTls3);
}

#[test]
fn each_slot_of_a_tngtls_with_template_2() {
    each_slot_obeys_its_configuration(Personality::TngTls2);
}

#[test]
fn each_slot_of_a_tflxtls() {
    each_slot_obeys_its_configuration(Personality::TflxTls);
}

#[test]
fn each_slot_of_a_tnglora() {
    each_slot_obeys_its_configuration(Personality::TngLora);
}

/// Slot 5 of a template-2 part takes secrets under the key in slot 6 and shows them to nobody.
#[test]
fn a_secret_is_written_encrypted_into_slot_5_of_a_tngtls_with_template_2() {
    let chip = Chip::holding(&Personality::TngTls2.make().unwrap());
    let bus = chip.serve();
    let (key, secret) = (hex(&[0x6b; 32]), hex(&[0x55; 32]));
    let calls = [
        format!("write 6 0 {key}"),
        format!("write_encrypted 5 0 {secret} {key} 6"),
        "read 5 0 32".to_owned(),
        format!("write_encrypted 5 0 {secret} {secret} 6"),
    ];
    let answers = ask_at(&bus.socket, 0x6a, &calls);
    answers[..2].iter().for_each(|answer| answer.succeeded());
    answers[2..].iter().for_each(|answer| answer.failed());
}

/// The vendor's library configures a new part, locks it and signs with it.
#[test]
fn a_blank_part_is_configured_locked_and_used() {
    let eeprom = Personality::Blank.make().unwrap();
    let mut zone = *eeprom.configuration().as_bytes();
    // Slots as in a TNGTLS; the rest stays.
    let tng = *Personality::TngTls3.make().unwrap().configuration().as_bytes();
    zone[20..52].copy_from_slice(&tng[20..52]);
    zone[96..].copy_from_slice(&tng[96..]);
    let chip = Chip::holding(&eeprom);
    let bus = chip.serve();
    let ask = |calls: &[&str]| {
        let calls: Vec<String> = calls.iter().map(|&call| call.to_owned()).collect();
        ask_at(&bus.socket, zone[16], &calls)
    };
    let configure = format!("write_config {}", hex(&zone));

    let new = ask(&["is_locked 0", "is_locked 1", "random", "genkey 2"]);
    assert_eq!([new[0].number(), new[1].number()], [0, 0]);
    // A pattern that nobody takes for random, until the configuration is locked.
    assert_eq!(new[2].bytes(), [0xff, 0xff, 0x00, 0x00].repeat(8));
    new[3].failed();

    let configured = ask(&[&configure, "config", "lock_config", "is_locked 0", &configure]);
    configured[0].succeeded();
    let read = configured[1].bytes();
    assert_eq!(read[16..84], zone[16..84]);
    assert_eq!(read[88..], zone[88..]);
    configured[2].succeeded();
    assert_eq!(configured[3].number(), 1);
    configured[4].failed();

    let locked = ask(&["genkey 2", "lock_data", "is_locked 1", "lock_data"]);
    locked[1].succeeded();
    assert_eq!(locked[2].number(), 1);
    locked[3].failed();

    let used = ask(&[&format!("sign 2 {}", hex(&[0x5a; 32])), "random", "genkey 0"]);
    assert!(openssl::verifies(&locked[0].bytes(), &[0x5a; 32], &used[0].bytes()));
    assert_ne!(used[1].bytes(), new[2].bytes());
    used[2].failed();
}
