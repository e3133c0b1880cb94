//! What the keys do.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use super::{CTRL_C, UP, enter, leave, shell};
use crate::support::Chip;

#[test]
fn help_lists_the_verbs_and_their_options() {
    let chip = Chip::new();
    let mut terminal = shell(&chip, &chip.device());
    terminal.wait_for("EMULATOR> ");
    let help = enter(&mut terminal, "help");
    for verb in ["cert", "doctor", "info", "pubkey", "random", "sign", "verify"] {
        assert!(help.contains(&format!("\n  {verb} ")), "{verb} is missing: {help}");
    }
    assert!(enter(&mut terminal, "help sign").contains("--format <FORMAT>"));
    assert!(enter(&mut terminal, "sign --help").contains("--format <FORMAT>"));
    terminal.press("exit\n");
    assert!(terminal.finish().0.success());
}

#[test]
fn tab_completes_verbs_options_values_and_files() {
    let chip = Chip::new();
    fs::write(chip.path("a-long-name-of-a-message"), "x").unwrap();
    let mut terminal = shell(&chip, &chip.device());
    terminal.wait_for("EMULATOR> ");
    for (typed, completed) in [
        ("pub\t", "EMULATOR> pubkey "),
        ("--fo\t", "EMULATOR> pubkey --format "),
        ("h\t", "EMULATOR> pubkey --format hex "),
    ] {
        terminal.press(typed);
        terminal.wait_for(completed);
    }
    terminal.press("\n");
    terminal.wait_for("EMULATOR> ");
    terminal.press("sign a-lo\t");
    terminal.wait_for("EMULATOR> sign a-long-name-of-a-message");
    terminal.press(CTRL_C);
    // Two that begin alike are both shown.
    terminal.wait_for("EMULATOR> ");
    terminal.press("cert \t\t");
    let shown = terminal.wait_for("signer") + &terminal.wait_for("EMULATOR> cert ");
    assert!(shown.contains("chain") && shown.contains("device"), "{shown}");
    terminal.press(CTRL_C);
    terminal.wait_for("EMULATOR> ");
    leave(terminal);
}

#[test]
fn earlier_lines_come_back_the_next_time_too() {
    let chip = Chip::new();
    let mut terminal = shell(&chip, &chip.device());
    terminal.wait_for("EMULATOR> ");
    enter(&mut terminal, "random 5");
    enter(&mut terminal, "random 6");
    terminal.press(UP);
    terminal.wait_for("EMULATOR> random 6");
    terminal.press(UP);
    terminal.wait_for("EMULATOR> random 5");
    terminal.press("\n");
    terminal.wait_for("EMULATOR> ");
    leave(terminal);

    let history = chip.path("state/atecc/shell_history");
    assert_eq!(fs::metadata(&history).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(chip.path("state/atecc")).unwrap().permissions().mode() & 0o777, 0o700);
    let mut terminal = shell(&chip, &chip.device());
    terminal.wait_for("EMULATOR> ");
    terminal.press(UP);
    terminal.wait_for("EMULATOR> random 5");
    terminal.press(CTRL_C);
    terminal.wait_for("EMULATOR> ");
    leave(terminal);
}

#[test]
fn ctrl_c_cancels_a_line_and_long_work_and_stays() {
    let chip = Chip::new();
    let mut terminal = shell(&chip, &chip.device());
    terminal.wait_for("EMULATOR> ");
    terminal.press("random 6");
    terminal.wait_for("random 6");
    terminal.press(CTRL_C);
    terminal.wait_for("EMULATOR> ");

    // A minute and more, if it were let.
    terminal.press("random 100000\n");
    terminal.wait_for("random numbers");
    let start = Instant::now();
    terminal.press(CTRL_C);
    terminal.wait_for("cancelled");
    assert!(start.elapsed() < Duration::from_secs(5));
    terminal.wait_for("EMULATOR> ");
    assert!(enter(&mut terminal, "random 4").lines().next().unwrap().len() == 8);

    // A bus that is served from the shell ends too.
    terminal.press("emulator serve other.eeprom bus.sock\n");
    terminal.wait_for("no emulated chip at other.eeprom");
    terminal.wait_for("EMULATOR> ");
    leave(terminal);
}
