//! `atecc`: the command line of the chip.
#![forbid(unsafe_code)]

mod ask;
mod aws;
mod bridge;
mod ca;
mod cert;
mod cli;
mod completions;
mod config;
mod csr;
mod doctor;
mod emulator;
mod error;
mod genkey;
mod info;
mod key_slot;
mod list;
mod lock;
mod man;
mod manifest;
mod message;
mod output;
mod progress;
mod pubkey;
mod public_key;
mod random;
mod register;
mod selftest;
mod session;
mod shell;
mod sign;
mod signature;
mod slots;
mod values;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{cli::Cli, session::Session};

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log();
    match cli.verb.run(&mut Session::new(cli.device)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("atecc: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Logs to stderr what `ATECC_LOG` asks for; errors only if it is not set.
fn start_log() {
    let asked = std::env::var("ATECC_LOG").ok();
    let filter =
        asked.and_then(|asked| asked.parse().ok()).unwrap_or(Targets::new().with_default(LevelFilter::ERROR));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
}
