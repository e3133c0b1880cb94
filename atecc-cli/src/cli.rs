//! What can be typed.

use clap::{Parser, Subcommand};

use crate::{
    bridge, ca, cert, completions, config, csr, doctor, emulator, error::Error, genkey, info, list, lock,
    man, manifest, pubkey, random, register, selftest, session::Session, shell, sign, verify,
};

/// The command line of the ATECC608: a TLS identity that cannot be copied.
#[derive(Debug, Parser)]
#[command(name = "atecc", version, propagate_version = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// The chip: emulator:PATH, emulator:unix:SOCKET, i2c:/dev/i2c-1, serial:/dev/ttyUSB0 or
    /// unix:SOCKET.
    ///
    /// Without it, ATECC_DEVICE names the chip, or `device` in /etc/atecc/atecc.toml.
    #[arg(long, global = true, value_name = "DEVICE")]
    pub(crate) device: Option<String>,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 not done (the reason is on standard error), 2 wrong usage.\n\
    Environment: ATECC_DEVICE (the chip), ATECC_CONFIG (instead of /etc/atecc/atecc.toml), ATECC_LOG (what to log, such as debug).";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Bridge(bridge::Arguments),
    Ca(ca::Arguments),
    Cert(cert::Arguments),
    Completions(completions::Arguments),
    Config(config::Arguments),
    Csr(csr::Arguments),
    Doctor(doctor::Arguments),
    Emulator(emulator::Arguments),
    Genkey(genkey::Arguments),
    Info(info::Arguments),
    List(list::Arguments),
    Lock(lock::Arguments),
    Man(man::Arguments),
    Manifest(manifest::Arguments),
    Pubkey(pubkey::Arguments),
    Random(random::Arguments),
    Register(register::Arguments),
    Selftest(selftest::Arguments),
    Shell(shell::Arguments),
    Sign(sign::Arguments),
    Verify(verify::Arguments),
}

impl Verb {
    pub(crate) fn run(&self, session: &mut Session) -> Result<(), Error> {
        match self {
            Self::Bridge(arguments) => bridge::run(arguments),
            Self::Ca(arguments) => ca::run(session, arguments),
            Self::Cert(arguments) => cert::run(session, arguments),
            Self::Completions(arguments) => completions::run(arguments),
            Self::Config(arguments) => config::run(session, arguments),
            Self::Csr(arguments) => csr::run(session, arguments),
            Self::Doctor(arguments) => doctor::run(session, arguments),
            Self::Emulator(arguments) => emulator::run(arguments),
            Self::Genkey(arguments) => genkey::run(session, arguments),
            Self::Info(arguments) => info::run(session, arguments),
            Self::List(arguments) => list::run(arguments),
            Self::Lock(arguments) => lock::run(session, arguments),
            Self::Man(arguments) => man::run(arguments),
            Self::Manifest(arguments) => manifest::run(session, arguments),
            Self::Pubkey(arguments) => pubkey::run(session, arguments),
            Self::Random(arguments) => random::run(session, arguments),
            Self::Register(arguments) => register::run(session, arguments),
            Self::Selftest(arguments) => selftest::run(session, arguments),
            Self::Shell(arguments) => shell::run(session, arguments),
            Self::Sign(arguments) => sign::run(session, arguments),
            Self::Verify(arguments) => verify::run(session, arguments),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn clap_finds_no_mistake_in_the_definitions() {
        Cli::command().debug_assert();
    }
}
