//! `atecc`: the command line of the chip.
#![forbid(unsafe_code)]

mod cert;
mod cli;
mod emulator;
mod error;
mod info;
mod output;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use crate::cli::{Cli, Verb};

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log();
    let device = cli.device.as_deref();
    let result = match cli.verb {
        Verb::Cert(arguments) => cert::run(device, &arguments),
        Verb::Emulator(arguments) => emulator::run(&arguments),
        Verb::Info(arguments) => info::run(device, &arguments),
    };
    match result {
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
