//! Where results go.

use std::{
    fs,
    io::{self, Write},
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
