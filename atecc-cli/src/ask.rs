//! Questions before what cannot be undone.

use std::io::{self, IsTerminal};

use rustyline::{Config, Editor, error::ReadlineError, history::MemHistory};

use crate::error::Error;

/// Says what is about to happen and goes on only if the user types `words`.
///
/// Nobody is asked where standard input is no terminal; `option` is what a script says instead.
pub(crate) fn for_words(warning: &str, words: &str, option: &str) -> Result<(), Error> {
    if !io::stdin().is_terminal() {
        return Err(Error::NobodyToAsk { option: option.into() });
    }
    eprintln!("{warning}");
    let mut editor = Editor::<(), _>::with_history(Config::default(), MemHistory::new())?;
    let answer = match editor.readline(&format!("Type \"{words}\" to go on: ")) {
        Ok(answer) => answer,
        Err(ReadlineError::Interrupted | ReadlineError::Eof) => return Err(Error::NotConfirmed),
        Err(error) => return Err(error.into()),
    };
    if answer.trim() == words { Ok(()) } else { Err(Error::NotConfirmed) }
}
