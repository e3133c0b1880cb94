//! What `atecc emulator serve --log` writes.

use std::{
    fs::{File, OpenOptions},
    io::{self, LineWriter, Write},
    path::{Path, PathBuf},
};

use atecc_emulator::{Bus, Meter};

use crate::error::Error;

/// The log of a served bus: a line per event while the bus lives, and the figures at its end.
pub(super) struct BusLog {
    path: PathBuf,
    /// Nothing if the log is standard output.
    file: Option<File>,
    meter: Meter,
}

impl BusLog {
    /// Lets `bus` write to the end of `path`, or to standard output if that is `-`.
    ///
    /// # Errors
    /// When the file cannot be opened or written.
    pub(super) fn open(path: &Path, bus: &mut Bus) -> Result<Self, Error> {
        let failed = |source| Error::OutputFile { path: path.into(), source };
        let file = if path == Path::new("-") {
            None
        } else {
            Some(OpenOptions::new().append(true).create(true).open(path).map_err(failed)?)
        };
        let log = Self { path: path.into(), file, meter: bus.meter() };
        log.line("     seconds   bus ms  event")?;
        match &log.file {
            // Line by line, so that whoever follows the file sees whole lines.
            Some(file) => bus.log_to(LineWriter::new(file.try_clone().map_err(failed)?)),
            None => bus.log_to(io::stdout()),
        }
        Ok(log)
    }

    /// Writes what all of it came to.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn finish(self) -> Result<(), Error> {
        self.line(&format!("in all: {}", self.meter.figures()))
    }

    fn line(&self, text: &str) -> Result<(), Error> {
        let written = match &self.file {
            Some(file) => writeln!(&mut &*file, "{text}"),
            None => writeln!(io::stdout(), "{text}"),
        };
        written.map_err(|source| Error::OutputFile { path: self.path.clone(), source })
    }
}
