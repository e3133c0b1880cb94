//! What can be typed.

use clap::{Parser, Subcommand};

use crate::{cert, emulator, info};

/// The command line of the ATECC608: a TLS identity that cannot be copied.
#[derive(Debug, Parser)]
#[command(name = "atecc", version, propagate_version = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// The chip: emulator:PATH, emulator:unix:SOCKET or i2c:/dev/i2c-1.
    ///
    /// Without it, ATECC_DEVICE names the chip, or `device` in /etc/atecc/atecc.toml.
    #[arg(long, global = true, value_name = "DEVICE")]
    pub(crate) device: Option<String>,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 not done (the reason is on standard error), 2 wrong usage.\n\
    Environment: ATECC_DEVICE (the chip), ATECC_LOG (what to log, such as debug).";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Cert(cert::Arguments),
    Emulator(emulator::Arguments),
    Info(info::Arguments),
}
