//! `atecc shell` as its user sees it: through a terminal.

mod absence;
mod editing;
mod verbs;

use std::process::Command;

use super::support::{Chip, Terminal, program};

const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const UP: &str = "\x1b[A";

/// The shell in the chip's folder, with its history there too.
fn shell(chip: &Chip, device: &str) -> Terminal {
    let mut command = Command::new(program("atecc"));
    command.args(["--device", device, "shell"]).current_dir(chip.folder());
    command.env("XDG_STATE_HOME", chip.path("state"));
    Terminal::start(&command)
}

/// Enters `line` and gives what is shown until the next prompt.
#[track_caller]
fn enter(terminal: &mut Terminal, line: &str) -> String {
    terminal.press(&format!("{line}\n"));
    terminal.wait_for(&format!("{line}\r\n"));
    terminal.wait_for("EMULATOR> ")
}

#[track_caller]
fn leave(mut terminal: Terminal) {
    terminal.press(CTRL_D);
    let (status, rest) = terminal.finish();
    assert!(status.success(), "{status}: {rest}");
}
