//! `atecc shell`.

mod completion;
mod history;
mod line;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use completion::Completion;
use rustyline::{CompletionType, Config, Editor, error::ReadlineError, history::FileHistory};
use signal_hook::consts::SIGINT;

use crate::{error::Error, session::Session};

/// Type verbs, one a line, while the chip stays open.
///
/// The verbs and their options are those of the command line; `help` lists them. Tab completes, the arrow keys
/// bring back earlier lines, Ctrl-C cancels a line or what takes long, Ctrl-D or `exit` leaves. A chip that was
/// pulled is looked for again by the next verb. A line with --device goes on with another chip.
///
/// The chip's certificate for AWS, as a file: `cert device --out fetched_client.crt.pem`.
///
/// Earlier lines are kept in $XDG_STATE_HOME/atecc/shell_history, by default below ~/.local/state.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

type LineEditor = Editor<Completion, FileHistory>;

pub(crate) fn run(session: &mut Session, _arguments: &Arguments) -> Result<(), Error> {
    if session.is_shell() {
        return Err(Error::ShellInShell);
    }
    // A wrong name stays wrong; a chip that is not there yet may come.
    session.spec()?;
    let interrupted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGINT, Arc::clone(&interrupted))?;
    session.enter_shell(Arc::clone(&interrupted));

    let config = Config::builder().completion_type(CompletionType::List).build();
    let history = FileHistory::with_config(&config);
    let mut editor = LineEditor::with_history(config, history)?;
    editor.set_helper(Some(Completion::new()));
    let history_file = history::load(&mut editor);
    greet(session);
    loop {
        match editor.readline(&prompt(session)) {
            Ok(line) => {
                // Its only error is that of a history in a database.
                let _ = editor.add_history_entry(line.trim());
                interrupted.store(false, Ordering::Relaxed);
                if line.trim() == "exit" || line.trim() == "quit" {
                    break;
                }
                if line::execute(session, &line) == line::Next::Leave {
                    break;
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error.into()),
        }
    }
    history::save(&mut editor, history_file);
    Ok(())
}

fn greet(session: &mut Session) {
    match session.token() {
        Ok(token) => {
            println!("{} with serial number {}", token.revision().part(), token.serial_number());
            if token.is_emulated() {
                println!("EMULATOR: this chip is software, for trials and tests only");
            }
        }
        Err(error) => eprintln!("{error}\nThe next command looks for the chip again."),
    }
    println!("\"help\" lists the verbs, Tab completes, Ctrl-D leaves.");
}

fn prompt(session: &Session) -> String {
    match session.open_token() {
        Some(token) if token.is_emulated() => format!("{} EMULATOR> ", token.serial_number()),
        Some(token) => format!("{}> ", token.serial_number()),
        None => "no chip> ".into(),
    }
}
