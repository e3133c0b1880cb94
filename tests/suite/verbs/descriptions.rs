//! `info` and `config`.

use std::process::Command;

use crate::support::{Chip, run};

fn json(command: &mut Command) -> serde_json::Value {
    serde_json::from_slice(&run(command.arg("--json")).succeeded().stdout).unwrap()
}

#[test]
fn info_shows_what_each_slot_may_do() {
    let chip = Chip::new();
    let text = run(chip.atecc().arg("info")).succeeded().text();
    assert!(text.contains("ATECC608B") && text.contains("EMULATOR"), "{text}");
    let rows: Vec<&str> = text.split("\nslot ").nth(1).unwrap().lines().skip(1).collect();
    assert_eq!(rows.len(), 16, "{text}");
    assert!(rows[0].contains("P-256 private key  sign, ECDH, show its public key"), "{text}");
    assert!(!rows[0].contains("genkey") && rows[2].contains("be made anew (genkey), be locked"), "{text}");
    assert!(rows[8].contains("be read, be written, be locked"), "{text}");

    let info = json(chip.atecc().arg("info"));
    assert_eq!(info["slots"].as_array().unwrap().len(), 16);
    assert_eq!(info["slots"][2]["may"][0], "sign");
    assert_eq!(info["slots"][2]["locked"], false);
    assert_eq!(info["emulated"], true);
}

#[test]
fn config_explains_every_byte() {
    let chip = Chip::new();
    let config = json(chip.atecc().arg("config"));
    let fields = config["fields"].as_array().unwrap();
    let zone: String = fields.iter().map(|field| field["value"].as_str().unwrap()).collect();
    assert_eq!(zone.len(), 256);
    assert_eq!(config["zone"], zone);
    let meaning = |name: &str| {
        let field = fields.iter().find(|field| field["name"] == name).unwrap();
        field["meaning"].as_str().unwrap().to_owned()
    };
    assert!(meaning("SN[0:3]").contains(&chip.common_name()[2..]));
    assert_eq!(meaning("I2C_Address"), "seven-bit address 0x35");
    assert!(meaning("SlotConfig[2]").contains("genkey"));
    assert!(meaning("KeyConfig[0]").contains("P-256 private key"));
    assert!(meaning("LockConfig").ends_with(": locked"));
    assert!(meaning("ChipOptions").contains("IO protection key in slot 6"));

    let text = run(chip.atecc().arg("config")).succeeded().text();
    assert!(text.starts_with("EMULATOR"), "{text}");
    assert_eq!(text.lines().count(), fields.len() + 1, "{text}");
}
