//! `sign`, and what `verify` says to it.

use std::{fs, process::Command};

use crate::{
    shared_bus::der_signature,
    support::{Chip, run, run_with_input, unhex},
};

const MESSAGE: &[u8] = b"the chip signs this";

/// A chip and a message beside it.
pub(super) fn chip() -> Chip {
    let chip = Chip::new();
    fs::write(chip.path("message"), MESSAGE).unwrap();
    run(chip.atecc().args(["pubkey", "--out"]).arg(chip.path("public.pem"))).succeeded();
    chip
}

/// `atecc` in the chip's folder.
pub(super) fn atecc(chip: &Chip, arguments: &[&str]) -> Command {
    let mut command = chip.atecc();
    command.current_dir(chip.folder()).args(arguments);
    command
}

#[track_caller]
fn openssl_verifies(chip: &Chip, signature: &[u8]) {
    fs::write(chip.path("checked"), signature).unwrap();
    let verified = run(Command::new("openssl").current_dir(chip.folder()).args([
        "dgst",
        "-sha256",
        "-verify",
        "public.pem",
        "-signature",
        "checked",
        "message",
    ]));
    assert!(verified.text().contains("Verified OK"), "{}", verified.all());
}

#[test]
fn a_signature_in_every_format_verifies() {
    let chip = chip();
    let sign = |format: &str| {
        let stdout = run(&mut atecc(&chip, &["sign", "message", "--format", format])).succeeded().stdout;
        let file = chip.path(format);
        fs::write(&file, &stdout).unwrap();
        run(&mut atecc(&chip, &["verify", "message", "--format", format, "--signature", format])).succeeded();
        stdout
    };
    openssl_verifies(&chip, &sign("der"));
    let raw = sign("raw");
    assert_eq!(raw.len(), 64);
    openssl_verifies(&chip, &der_signature(&raw));
    let hex = String::from_utf8(sign("hex")).unwrap();
    openssl_verifies(&chip, &der_signature(&unhex(hex.trim_end())));
    let decoded =
        run_with_input(Command::new("openssl").args(["base64", "-d", "-A"]), sign("base64").trim_ascii_end());
    openssl_verifies(&chip, &decoded.stdout);
}

#[test]
fn messages_come_from_a_file_standard_input_or_as_a_digest() {
    let chip = chip();
    let signature = run_with_input(&mut atecc(&chip, &["sign"]), MESSAGE).succeeded().stdout;
    openssl_verifies(&chip, &signature);
    let digest =
        run(Command::new("openssl").current_dir(chip.folder()).args(["dgst", "-sha256", "-r", "message"]));
    let digest = digest.succeeded().text()[..64].to_owned();
    run(&mut atecc(&chip, &["sign", "--digest", &digest, "--out", "signature"])).succeeded();
    openssl_verifies(&chip, &fs::read(chip.path("signature")).unwrap());
    run_with_input(&mut atecc(&chip, &["verify", "--signature", "signature"]), MESSAGE).succeeded();
    run(&mut atecc(&chip, &["verify", "--digest", &digest, "--signature", "signature"])).succeeded();

    run(&mut atecc(&chip, &["sign", "--digest", "00ff"])).failed_with(2);
    run(&mut atecc(&chip, &["sign", "message", "--digest", &digest])).failed_with(2);
    let missing = run(&mut atecc(&chip, &["sign", "nothing"])).failed_with(1);
    assert!(missing.stderr.contains("nothing cannot be read"), "{}", missing.stderr);
}

#[test]
fn another_slot_signs_with_its_own_key() {
    let chip = chip();
    let signed = |slot: &str| {
        run(&mut atecc(&chip, &["sign", "message", "--slot", slot, "--out", "signature"])).succeeded();
        run(&mut atecc(&chip, &["pubkey", "--slot", slot, "--out", "public.pem"])).succeeded();
        openssl_verifies(&chip, &fs::read(chip.path("signature")).unwrap());
    };
    ["0", "2", "3", "4"].into_iter().for_each(signed);
    run(&mut atecc(&chip, &["verify", "message", "--signature", "signature", "--slot", "4"])).succeeded();
    run(&mut atecc(&chip, &["verify", "message", "--signature", "signature"])).failed_with(1);
    // Slot 1 signs only what the chip itself made, slot 8 holds no key, slot 16 is none.
    for slot in ["1", "8"] {
        let refused = run(&mut atecc(&chip, &["sign", "message", "--slot", slot])).failed_with(1);
        assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
    }
    run(&mut atecc(&chip, &["sign", "message", "--slot", "16"])).failed_with(2);
}
