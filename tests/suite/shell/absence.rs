//! Chips that come and go.

use std::{fs, process::Command};

use super::{enter, leave, shell};
use crate::support::{Chip, program, run};

#[test]
fn a_chip_that_was_pulled_is_told_and_found_again() {
    let chip = Chip::new();
    let mut bus = chip.serve();
    let mut terminal = shell(&chip, &bus.device());
    terminal.wait_for("EMULATOR> ");
    enter(&mut terminal, "info");

    bus.server.kill();
    terminal.press("pubkey --format hex\n");
    let message = terminal.wait_for("no chip> ");
    assert!(message.contains("atecc emulator serve"), "{message}");
    assert!(message.contains("The next command looks for the chip again."), "{message}");
    terminal.press("random 4\n");
    terminal.wait_for("no chip> ");

    let bus = chip.serve();
    assert!(enter(&mut terminal, "info").contains(&bus.device()));
    assert_eq!(enter(&mut terminal, "random 4").lines().next().unwrap().len(), 8);
    leave(terminal);
}

#[test]
fn another_chip_in_the_same_place_is_noticed() {
    let (chip, other) = (Chip::new(), Chip::new());
    let mut bus = chip.serve();
    let mut terminal = shell(&chip, &bus.device());
    terminal.wait_for("EMULATOR> ");
    bus.server.kill();
    fs::copy(other.eeprom(), chip.eeprom()).unwrap();
    let _bus = chip.serve();
    let serial = other.common_name()[2..].to_owned();
    let shown = enter(&mut terminal, "info");
    assert!(shown.contains(&format!("This is another chip than before: {serial}.")), "{shown}");
    assert!(shown.ends_with(&format!("{serial} EMULATOR> ")), "{shown}");
    leave(terminal);
}

#[test]
fn a_shell_may_begin_without_a_chip_but_not_without_a_name() {
    let chip = Chip::new();
    let socket = format!("emulator:unix:{}", chip.path("bus.sock").display());
    let mut terminal = shell(&chip, &socket);
    terminal.wait_for("no chip> ");
    let _bus = chip.serve();
    terminal.press("random 4\n");
    terminal.wait_for("EMULATOR> ");
    leave(terminal);

    let mut nameless = Command::new(program("atecc"));
    let refused = run(nameless.arg("shell").env_remove("ATECC_DEVICE")).failed_with(1);
    assert!(refused.stderr.contains("no device is named"), "{}", refused.stderr);
}

#[test]
fn a_line_may_name_another_chip_and_the_next_lines_go_on_with_it() {
    let (chip, other) = (Chip::new(), Chip::new());
    let mut terminal = shell(&chip, &chip.device());
    terminal.wait_for("EMULATOR> ");
    let serial = other.common_name()[2..].to_owned();
    let shown = enter(&mut terminal, &format!("info --device {}", other.device()));
    assert!(shown.ends_with(&format!("{serial} EMULATOR> ")), "{shown}");
    assert!(enter(&mut terminal, "info").contains(&serial));
    leave(terminal);
}
