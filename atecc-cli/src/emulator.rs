//! `atecc emulator`.

use std::{path::PathBuf, thread, time::Duration};

use atecc_emulator::{Bus, Chip, Clock, EepromFile, Pace, provision, socket::Server};
use clap::Subcommand;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::error::Error;

/// Make and share emulated chips. They are software: for trials and tests only.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a new Trust&GO TLS chip, with its own keys and certificates under the emulator's test CA.
    New {
        /// The file that becomes its EEPROM; an existing file is never overwritten.
        file: PathBuf,
    },
    /// Put a chip on an emulated I2C bus that any number of programs share, until interrupted.
    ///
    /// They reach it as emulator:unix:SOCKET. Commands take the time that they take in a real chip, and bytes
    /// the time that they take on a real bus.
    Serve {
        /// The chip, made with `atecc emulator new`.
        file: PathBuf,
        /// The Unix socket to make.
        socket: PathBuf,
        /// The clock of the bus. Above 133000 the wake pulse is too short for the chip.
        #[arg(long, value_name = "HERTZ", default_value_t = Bus::STANDARD_HERTZ,
              value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
        hertz: u32,
    },
}

/// How long the file of a chip may be in use by a program that is about to end.
const FILE_PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    match &arguments.action {
        Action::New { file } => {
            let eeprom = provision::tng_tls()?;
            EepromFile::create(file, &eeprom)?;
            let serial = eeprom.configuration().serial_number();
            println!("EMULATOR: made an emulated ATECC608B-TNGTLS with serial number {serial}");
            println!("use it with --device emulator:{}", file.display());
            Ok(())
        }
        Action::Serve { file, socket, hertz } => serve(file, socket, *hertz),
    }
}

fn serve(file: &std::path::Path, socket: &std::path::Path, hertz: u32) -> Result<(), Error> {
    let file = EepromFile::open(file, FILE_PATIENCE)?;
    let bus = Bus::new(Chip::new(file.eeprom().clone(), Pace::Typical), Clock::real(), hertz);
    let server = Server::bind(socket)?;
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    println!("EMULATOR: serving an emulated I2C bus on {}", socket.display());
    println!("use it with --device emulator:unix:{}", socket.display());
    thread::scope(|scope| {
        let handle = signals.handle();
        let serving = scope.spawn({
            let server = &server;
            move || {
                let result = server.run(bus);
                // The wait below ends, whatever made the server end.
                handle.close();
                result
            }
        });
        // The first signal, or the end of the server.
        signals.forever().next();
        server.stop();
        serving.join().unwrap_or(Ok(()))
    })?;
    Ok(())
}
