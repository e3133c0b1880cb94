//! `atecc emulator`.

mod log;

use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use atecc::i2c::TRUST_AND_GO_ADDRESS;
use atecc_emulator::{Bus, Chip, Clock, EepromFile, Pace, provision::Personality, socket::Server};
use clap::{Subcommand, ValueEnum};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

use self::log::BusLog;
use crate::error::Error;

/// Make and share emulated chips. They are software: for trials and tests only.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a new chip, by default a Trust&GO TLS part, with its own keys and certificates under the emulator's
    /// test CA.
    New {
        /// Which product it is.
        #[arg(long, value_enum, default_value_t = Part::Tngtls)]
        part: Part,
        /// The file that becomes its EEPROM; an existing file is never overwritten.
        #[arg(value_hint = clap::ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Put a chip on an emulated I2C bus that any number of programs share, until interrupted.
    ///
    /// They reach it as emulator:unix:SOCKET. Commands take the time that they take in a real chip, and bytes
    /// the time that they take on a real bus.
    Serve {
        /// The chip, made with `atecc emulator new`.
        #[arg(value_hint = clap::ValueHint::FilePath)]
        file: PathBuf,
        /// The Unix socket to make.
        socket: PathBuf,
        /// The clock of the bus. Above 133000 the wake pulse is too short for the chip.
        #[arg(long, value_name = "HERTZ", default_value_t = Bus::STANDARD_HERTZ,
              value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
        hertz: u32,
        /// Append what happens on the bus to a file, or print it with `-`: wakes, commands by name, what became of
        /// each, the time that the bus and the chip took, and a summary at the end. Keys and messages are left out.
        #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
        log: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    /// ATECC608B-TNGTLS, certificate template 3.
    Tngtls,
    /// ATECC608A-TNGTLS, certificate template 2.
    #[value(name = "tngtls-2")]
    Tngtls2,
    /// ATECC608B-TFLXTLS.
    Tflxtls,
    /// ATECC608A-TNGLORA.
    Tnglora,
    /// A part that nobody has configured or locked.
    Blank,
}

impl Part {
    const fn personality(self) -> Personality {
        match self {
            Self::Tngtls => Personality::TngTls3,
            Self::Tngtls2 => Personality::TngTls2,
            Self::Tflxtls => Personality::TflxTls,
            Self::Tnglora => Personality::TngLora,
            Self::Blank => Personality::Blank,
        }
    }
}

/// How long the file of a chip may be in use by a program that is about to end.
const FILE_PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    match &arguments.action {
        Action::New { part, file } => {
            let personality = part.personality();
            let eeprom = personality.make()?;
            EepromFile::create(file, &eeprom)?;
            let serial = eeprom.configuration().serial_number();
            println!("EMULATOR: made an emulated {} with serial number {serial}", personality.part());
            println!("use it with --device emulator:{}", file.display());
            Ok(())
        }
        Action::Serve { file, socket, hertz, log } => serve(file, socket, *hertz, log.as_deref()),
    }
}

fn serve(file: &Path, socket: &Path, hertz: u32, log: Option<&Path>) -> Result<(), Error> {
    let file = EepromFile::open(file, FILE_PATIENCE)?;
    let address = file.eeprom().configuration().effective_i2c_address();
    let mut bus = Bus::new(Chip::from_file(file, Pace::Typical), Clock::real(), hertz);
    let log = log.map(|path| BusLog::open(path, &mut bus)).transpose()?;
    let server = Server::bind(socket)?;
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    println!("EMULATOR: serving an emulated I2C bus on {}", socket.display());
    let option = match address {
        TRUST_AND_GO_ADDRESS => String::new(),
        other => format!("?address=0x{other:02x}"),
    };
    println!("use it with --device emulator:unix:{}{option}", socket.display());
    thread::scope(|scope| {
        let handle = signals.handle();
        let serving = scope.spawn({
            let server = &server;
            move || {
                server.run(bus);
                // The wait below ends, whatever made the server end.
                handle.close();
            }
        });
        // The first signal, or the end of the server.
        signals.forever().next();
        server.stop();
        serving.join().map_err(|_| Error::ServerDied)
    })?;
    log.map_or(Ok(()), BusLog::finish)
}
