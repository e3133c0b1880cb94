//! One line, run as the command line would run it.

use std::iter;

use clap::Parser;

use crate::{cli::Cli, session::Session};

/// What follows a line.
#[derive(PartialEq, Eq)]
pub(super) enum Next {
    Line,
    Leave,
}

/// Runs one line as the command line would, and tells what went wrong.
pub(super) fn execute(session: &mut Session, line: &str) -> Next {
    let Some(mut words) = shlex::split(line) else {
        eprintln!("a quotation mark is missing");
        return Next::Line;
    };
    // Lines that were meant for the command line may be pasted.
    if words.first().is_some_and(|word| word == "atecc") {
        words.remove(0);
    }
    if words.is_empty() {
        return Next::Line;
    }
    let cli = match Cli::try_parse_from(iter::once("atecc".into()).chain(words)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to standard output; if that is closed there is nobody to tell.
            return if error.print().is_ok() { Next::Line } else { Next::Leave };
        }
    };
    if let Some(device) = cli.device {
        session.switch(device);
    }
    let before = session.open_token().map(|token| token.serial_number());
    look_again(session);
    match cli.verb.run(session) {
        Ok(()) => {}
        Err(error) if error.is_closed_pipe() => return Next::Leave,
        Err(error) => {
            eprintln!("{error}");
            if error.is_absent() {
                session.close();
                eprintln!("The next command looks for the chip again.");
            }
        }
    }
    if let (Some(before), Some(token)) = (before, session.open_token())
        && token.serial_number() != before
    {
        eprintln!("This is another chip than before: {}.", token.serial_number());
    }
    Next::Line
}

/// Closes a chip that was pulled or changed since the line before, so that the verb opens what is there now.
fn look_again(session: &mut Session) {
    if session.open_token().is_some_and(|token| !token.is_present()) {
        session.close();
    }
}
