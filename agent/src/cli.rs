//! The command line, as it is typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Gateway daemon: MQTT to AWS IoT Core with a private key that never leaves the ATECC608.
#[derive(Debug, Parser)]
#[command(name = "atecc-agent", version, about, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// What to log: a level (error, warn, info, debug, trace), or directives such as "info,rustls=debug". Without it: ATECC_LOG, else info.
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Connects and stays connected: telemetry, commands, the device shadow.
    Run(Run),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// The configuration; agent.example.toml describes every key.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The chip, for example i2c:/dev/i2c-1 or emulator:chip.eeprom. Goes before `device` and `key` in
    /// the configuration, ATECC_DEVICE and /etc/atecc/atecc.toml.
    #[arg(long, value_name = "SPEC")]
    pub(crate) device: Option<String>,
    /// Publish one telemetry message, wait for the server's acknowledgement, disconnect and exit. Does not
    /// try again.
    #[arg(long)]
    pub(crate) once: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 done, or stopped by SIGTERM or SIGINT; 1 chip, network or server; 2 command line or configuration.";
