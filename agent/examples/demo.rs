//! The main job of this project with nothing installed but Rust: `cargo run --release --example demo`.
//!
//! In one process: an emulated chip, an emulated IoT Core, and between them the real agent. The exit code is 0
//! only if every step was seen to happen, from both sides. `--json` prints one document for programs,
//! `--verbose` shows the log.
#![forbid(unsafe_code)]

#[path = "demo/account.rs"]
mod account;
#[path = "demo/stage.rs"]
mod stage;
#[path = "demo/story.rs"]
mod story;

use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use account::Account;
use clap::Parser;
use stage::Anything;
use story::Progress;

/// How long all of it may take.
const LIMIT: Duration = Duration::from_secs(60);

/// The real agent between an emulated ATECC608 and an emulated AWS IoT Core.
#[derive(Parser)]
#[command(name = "demo")]
struct Arguments {
    /// Print one JSON document instead of lines for readers.
    #[arg(long)]
    json: bool,
    /// Show the log, on stderr.
    #[arg(long)]
    verbose: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.verbose {
        tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(std::io::stderr).init();
    }
    match run(arguments.json) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The story has a thread of its own, so that whatever it hangs on, this ends.
fn run(is_json: bool) -> Anything<bool> {
    let progress = Progress::default();
    let (sender, result) = mpsc::channel();
    let of_story = progress.clone();
    std::thread::spawn(move || {
        let told = Account::begin(is_json).and_then(|account| story::tell(account, &of_story));
        drop(sender.send(told));
    });
    let problem = match result.recv_timeout(LIMIT) {
        Ok(told) => return told,
        Err(RecvTimeoutError::Timeout) => format!("still not done after {LIMIT:?} in total"),
        Err(RecvTimeoutError::Disconnected) => "panicked".to_owned(),
    };
    // The account is lost with its thread, but not the sentence.
    Account::hidden(is_json).fail(story::step_of(&progress), &problem)?;
    Ok(false)
}
