//! Where results go.

use std::{
    fs::{self, OpenOptions},
    io::{self, IsTerminal, Write},
    path::Path,
};

use serde::Serialize;

use crate::error::Error;

/// Writes `text` to `file`, or to standard output.
pub(crate) fn text(text: &str, file: Option<&Path>) -> Result<(), Error> {
    match file {
        Some(path) => fs::write(path, text).map_err(|source| Error::OutputFile { path: path.into(), source }),
        None => Ok(io::stdout().lock().write_all(text.as_bytes())?),
    }
}

/// Finds out whether [`text`] can write to `file`, before something is done whose result would be lost. A file
/// that is not there is made.
pub(crate) fn check_writable(file: Option<&Path>) -> Result<(), Error> {
    let Some(path) = file else { return Ok(()) };
    match OpenOptions::new().create(true).append(true).open(path) {
        Ok(_) => Ok(()),
        Err(source) => Err(Error::OutputFile { path: path.into(), source }),
    }
}

/// Writes `bytes` as they are to `file`, or to standard output unless that is a terminal.
pub(crate) fn binary(bytes: &[u8], file: Option<&Path>) -> Result<(), Error> {
    match file {
        Some(path) => {
            fs::write(path, bytes).map_err(|source| Error::OutputFile { path: path.into(), source })
        }
        None if io::stdout().is_terminal() => Err(Error::BinaryToTerminal),
        None => Ok(io::stdout().lock().write_all(bytes)?),
    }
}

/// Writes `value` to standard output as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    serde_json::to_writer_pretty(&mut stdout, value)?;
    Ok(writeln!(stdout)?)
}

/// `bytes` as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
