//! What can be entered.

use std::{fs, process::Command};

use super::{CTRL_C, UP, enter, leave, shell};
use crate::support::{Chip, run, run_with_input};

#[test]
fn every_verb_is_there_and_works_as_on_the_command_line() {
    let chip = Chip::new();
    fs::write(chip.path("message"), "the chip signs this").unwrap();
    let mut terminal = shell(&chip, &chip.device());
    let greeting = terminal.wait_for("EMULATOR> ");
    assert!(greeting.contains("EMULATOR: this chip is software"), "{greeting}");

    let serial = chip.common_name()[2..].to_owned();
    assert!(enter(&mut terminal, "info").contains(&serial));
    assert!(enter(&mut terminal, "info --json").contains("\"emulated\": true"));
    assert!(enter(&mut terminal, "pubkey").contains("BEGIN PUBLIC KEY"));
    assert!(enter(&mut terminal, "random 8").lines().next().unwrap().len() == 16);
    enter(&mut terminal, "sign message --out signature");
    assert!(enter(&mut terminal, "verify message --signature signature").contains("Verified OK"));
    assert!(enter(&mut terminal, "verify message --signature signature --in-chip").contains("Verified OK"));
    assert!(enter(&mut terminal, "sign message").contains("is binary"));
    assert!(enter(&mut terminal, "sign").contains("name the file"));
    assert!(enter(&mut terminal, "doctor").contains("0 retries"));
    assert!(enter(&mut terminal, "config").contains("SlotConfig[15]"));
    assert!(enter(&mut terminal, "csr --subject CN=pump-7").contains("BEGIN CERTIFICATE REQUEST"));
    assert!(enter(&mut terminal, "selftest").contains("ECDSA  passed"));
    assert!(enter(&mut terminal, "genkey 2 --yes-overwrite-slot 2").contains("BEGIN PUBLIC KEY"));
    assert!(enter(&mut terminal, "completions bash").contains("_atecc()"));
    assert!(enter(&mut terminal, "man").contains(".TH atecc 1"));
    assert!(enter(&mut terminal, "emulator new other.eeprom").contains("EMULATOR: made"));
    assert!(enter(&mut terminal, "emulator new 'with space.eeprom'").contains("EMULATOR: made"));
    assert!(chip.path("with space.eeprom").exists());
    assert!(enter(&mut terminal, "shell").contains("the shell already"));

    // A line that was meant for the command line.
    assert!(enter(&mut terminal, "atecc cert root").contains("BEGIN CERTIFICATE"));
    // The example of the article.
    enter(&mut terminal, "cert device --out fetched_client.crt.pem");
    let issuer = run(Command::new("openssl")
        .args(["x509", "-noout", "-issuer", "-in"])
        .arg(chip.path("fetched_client.crt.pem")));
    assert!(issuer.succeeded().text().contains("EMULATOR Test Signer"));

    // Mistakes leave the shell as it is.
    assert!(enter(&mut terminal, "sing message").contains("unrecognized subcommand 'sing'"));
    assert!(enter(&mut terminal, "sign 'message").contains("quotation mark"));
    assert!(enter(&mut terminal, "sign nothing.there").contains("cannot be read"));
    enter(&mut terminal, "");
    leave(terminal);
}

#[test]
fn what_cannot_be_undone_is_asked_for_in_the_shell_too() {
    let chip = Chip::new();
    let mut terminal = shell(&chip, &chip.device());
    terminal.wait_for("EMULATOR> ");
    for answer in [CTRL_C, "no\n"] {
        terminal.press("lock 3\n");
        terminal.wait_for("Type \"lock 3 for ever\" to go on: ");
        terminal.press(answer);
        terminal.wait_for("nothing was changed");
        terminal.wait_for("EMULATOR> ");
    }
    terminal.press("lock 3\n");
    terminal.wait_for("to go on: ");
    terminal.press("lock 3 for ever\n");
    terminal.wait_for("slot 3 is locked");
    terminal.wait_for("EMULATOR> ");
    // The answer is no line of the shell.
    terminal.press(UP);
    terminal.wait_for("EMULATOR> lock 3");
    terminal.press(CTRL_C);
    terminal.wait_for("EMULATOR> ");
    leave(terminal);
}

/// The lines of a script, without a terminal.
#[test]
fn lines_may_come_through_a_pipe() {
    let chip = Chip::new();
    let output = run_with_input(
        chip.atecc().arg("shell").env("XDG_STATE_HOME", chip.path("state")),
        b"random 4\npubkey --format hex\n",
    )
    .succeeded();
    assert!(output.text().lines().any(|line| line.len() == 128), "{}", output.all());
}
