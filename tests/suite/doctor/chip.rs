//! What is wrong with a chip that answers.

use atecc::{Configuration, Slot};
use atecc_emulator::{Eeprom, EepromFile, provision};

use super::{doctor, finds, report};
use crate::support::{Chip, run};

#[test]
fn a_chip_without_certificates() {
    let (_folder, device) = chip_with(|eeprom| {
        for number in 10..=12 {
            eeprom.slot_mut(slot(number)).fill(0);
        }
    });
    finds(doctor(&device), "certificate", "no certificates", "atecc csr");
}

#[test]
fn a_certificate_of_another_key() {
    let other = provision::tng_tls().unwrap();
    let (_folder, device) = chip_with(|eeprom| {
        for number in 10..=12 {
            eeprom.slot_mut(slot(number)).copy_from_slice(other.slot(slot(number)));
        }
    });
    finds(doctor(&device), "certificate", "does not belong to the key in slot 0", "do not trust");
}

#[test]
fn a_signer_that_no_trusted_root_issued() {
    // The signature over the signer's certificate is that of another signer's.
    let other = provision::tng_tls().unwrap();
    let (_folder, device) = chip_with(|eeprom| {
        eeprom.slot_mut(slot(12))[..64].copy_from_slice(&other.slot(slot(12))[..64]);
    });
    finds(doctor(&device), "chain", "not issued by a trusted root", "buy Trust&GO parts");
}

#[test]
fn a_clock_that_is_wrong() {
    let chip = Chip::new();
    let at = |time: &str| {
        let mut command = doctor(&chip.device());
        command.args(["--at", time]);
        command
    };
    finds(at("2001-01-01T00:00:00Z"), "clock", "not valid yet", "timedatectl set-ntp true");
    finds(at("2099-01-01T00:00:00Z"), "clock", "no longer valid", "replace the chip");
    run(&mut at("2040-01-01T00:00:00Z")).succeeded();
    run(&mut at("tomorrow")).failed_with(2);
}

#[test]
fn a_configuration_that_is_not_locked() {
    let unlocked = |bytes: &[usize]| {
        let mut zone = *provision::tng_tls().unwrap().configuration().as_bytes();
        bytes.iter().for_each(|&byte| zone[byte] = 0x55);
        let (folder, device) = chip_with(|eeprom| *eeprom = Eeprom::new(&Configuration::from_bytes(zone)));
        (folder, doctor(&device))
    };
    // LockValue is byte 86, LockConfig byte 87.
    let (_folder, command) = unlocked(&[86]);
    finds(command, "data", "not locked", "Trust&GO");
    let (_folder, mut command) = unlocked(&[86, 87]);
    let (report, finished) = report(command.arg("--json"));
    finished.failed_with(1);
    let wrong: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| finding.state == "wrong")
        .map(|finding| finding.check.as_str())
        .collect();
    assert_eq!(wrong, ["configuration", "data"]);
}

/// A chip whose memory differs from what the factory made.
fn chip_with(change: impl FnOnce(&mut Eeprom)) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chip.eeprom");
    let mut eeprom = provision::tng_tls().unwrap();
    change(&mut eeprom);
    EepromFile::create(&path, &eeprom).unwrap();
    (folder, format!("emulator:{}", path.display()))
}

fn slot(number: u8) -> Slot {
    Slot::new(number).unwrap()
}
