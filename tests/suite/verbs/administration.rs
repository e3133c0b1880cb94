//! `genkey` and `lock`, which ask before they do what cannot be undone, and `selftest`.

use std::{fs, process::Command};

use crate::support::{Chip, Terminal, run};

fn public_key(chip: &Chip, slot: &str) -> String {
    run(chip.atecc().args(["pubkey", "--slot", slot])).succeeded().text()
}

fn public_keys(chip: &Chip) -> Vec<String> {
    ["0", "1", "2", "3", "4"].map(|slot| public_key(chip, slot)).into()
}

/// `atecc` in a terminal, up to its question.
fn asked(chip: &Chip, verb: &str, slot: &str) -> (Terminal, String) {
    let mut command = chip.atecc();
    command.args([verb, slot]);
    let mut terminal = Terminal::start(&command);
    let warning = terminal.wait_for("to go on: ");
    (terminal, warning)
}

#[test]
fn a_new_key_takes_the_place_of_the_old_and_signs() {
    let chip = Chip::new();
    let before = public_keys(&chip);
    let new = run(chip.atecc().args(["genkey", "3", "--yes-overwrite-slot", "3"])).succeeded().text();
    let after = public_keys(&chip);
    for slot in [0, 1, 2, 4] {
        assert_eq!(before[slot], after[slot], "slot {slot}");
    }
    assert_ne!(before[3], new);
    assert_eq!(after[3], new);

    fs::write(chip.path("public.pem"), new).unwrap();
    fs::write(chip.path("message"), "signed with the new key").unwrap();
    let mut sign = chip.atecc();
    sign.args(["sign", "--slot", "3"]).arg(chip.path("message")).arg("--out").arg(chip.path("signature"));
    run(&mut sign).succeeded();
    let verified = run(Command::new("openssl").current_dir(chip.folder()).args([
        "dgst",
        "-sha256",
        "-verify",
        "public.pem",
        "-signature",
        "signature",
        "message",
    ]));
    assert!(verified.text().contains("Verified OK"), "{}", verified.all());
}

#[test]
fn a_key_is_overwritten_only_with_the_words_for_its_slot() {
    let chip = Chip::new();
    let before = public_keys(&chip);
    for (answer, told) in [
        ("yes\n", "nothing was changed"),
        ("overwrite 3\n", "nothing was changed"),
        ("\x03", "nothing was changed"),
    ] {
        let (mut terminal, warning) = asked(&chip, "genkey", "2");
        assert!(
            warning.contains("Slot 2 holds a key") && warning.contains("nothing brings it back"),
            "{warning}"
        );
        terminal.press(answer);
        terminal.wait_for(told);
        assert_eq!(terminal.finish().0.code(), Some(1));
    }
    let nobody = run(chip.atecc().args(["genkey", "2"])).failed_with(1);
    assert!(nobody.stderr.contains("a script says --yes-overwrite-slot 2"), "{}", nobody.stderr);
    let other = run(chip.atecc().args(["genkey", "2", "--yes-overwrite-slot", "3"])).failed_with(1);
    assert!(other.stderr.contains("nothing was changed"), "{}", other.stderr);
    for slot in ["0", "1", "5", "16"] {
        run(chip.atecc().args(["genkey", slot, "--yes-overwrite-slot", "2"])).failed_with(2);
    }
    assert_eq!(public_keys(&chip), before);

    let (mut terminal, _) = asked(&chip, "genkey", "2");
    terminal.press("overwrite 2\n");
    terminal.wait_for("END PUBLIC KEY");
    assert!(terminal.finish().0.success());
    assert_ne!(public_key(&chip, "2"), before[2]);
}

#[test]
fn a_slot_is_locked_only_with_words_and_then_for_ever() {
    let chip = Chip::new();
    let key = public_key(&chip, "4");
    let (mut terminal, warning) = asked(&chip, "lock", "4");
    assert!(warning.contains("locked for ever"), "{warning}");
    terminal.press("lock 4\n");
    terminal.wait_for("nothing was changed");
    assert_eq!(terminal.finish().0.code(), Some(1));
    run(chip.atecc().args(["lock", "4"])).failed_with(1);
    run(chip.atecc().args(["lock", "4", "--yes-lock-slot", "3"])).failed_with(1);
    assert!(!run(chip.atecc().arg("info")).succeeded().text().contains("LOCKED"));

    let (mut terminal, _) = asked(&chip, "lock", "4");
    terminal.press("lock 4 for ever\n");
    terminal.wait_for("slot 4 is locked");
    assert!(terminal.finish().0.success());
    let info = run(chip.atecc().arg("info")).succeeded().text();
    assert_eq!(info.lines().filter(|line| line.ends_with("LOCKED")).count(), 1, "{info}");
    for refused in [&["lock", "4", "--yes-lock-slot", "4"][..], &["genkey", "4", "--yes-overwrite-slot", "4"]]
    {
        let refused = run(chip.atecc().args(refused)).failed_with(1);
        assert!(refused.stderr.contains("slot 4 is locked for ever"), "{}", refused.stderr);
    }
    // It goes on working, and the others can still be changed.
    assert_eq!(public_key(&chip, "4"), key);
    run(chip.atecc().args(["sign", "--slot", "4", "--digest", &"5a".repeat(32)])).succeeded();
    run(chip.atecc().args(["lock", "8", "--yes-lock-slot", "8"])).succeeded();
    let never = run(chip.atecc().args(["lock", "0", "--yes-lock-slot", "0"])).failed_with(1);
    assert!(never.stderr.contains("lets nobody lock slot 0"), "{}", never.stderr);
}

#[test]
fn the_chip_tests_its_engines() {
    let chip = Chip::new();
    let text = run(chip.atecc().arg("selftest")).succeeded().text();
    for engine in ["RNG", "ECDSA", "ECDH", "AES", "SHA"] {
        assert!(text.contains(&format!("{engine:<7}passed")), "{text}");
    }
    let json = run(chip.atecc().args(["selftest", "--json"])).succeeded();
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 5);
}
