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
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

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
    let filter = EnvFilter::builder()
        .with_env_var("ATECC_LOG")
        .with_default_directive(LevelFilter::ERROR.into())
        .from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
