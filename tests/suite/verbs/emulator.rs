//! `emulator new` makes each of the parts.

use std::process::Command;

use crate::support::{program, run};

#[test]
fn every_part_can_be_made_and_says_that_it_is_emulated() {
    let folder = tempfile::tempdir().unwrap();
    for (part, name, address) in [
        ("tngtls", "ATECC608B-TNGTLS", "0x35"),
        ("tngtls-2", "ATECC608A-TNGTLS", "0x35"),
        ("tflxtls", "ATECC608B-TFLXTLS", "0x36"),
        ("tnglora", "ATECC608A-TNGLORA", "0x59"),
        ("blank", "ATECC608A", "0x60"),
    ] {
        let file = folder.path().join(part);
        let made = run(Command::new(program("atecc")).args(["emulator", "new", "--part", part]).arg(&file));
        assert!(made.succeeded().text().contains(&format!("an emulated {name} with serial number")));
        let device = format!("emulator:{}", file.display());
        let info = run(Command::new(program("atecc")).args(["--device", &device, "info"])).succeeded().text();
        assert!(info.contains("EMULATOR") && info.contains(&format!("I2C address   {address}")), "{info}");
        assert_eq!(info.contains("NOT locked"), part == "blank", "{info}");
    }
}
