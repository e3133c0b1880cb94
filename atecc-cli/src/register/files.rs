//! Files that are written once.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::RegisterError;

/// The certificate that AWS issued.
pub(super) const CERTIFICATE: &str = "certificate.pem";
/// The private key that AWS made.
pub(super) const KEY: &str = "key.pem";

/// Makes a folder and finds out whether files can be made in it, before there is something that must not be lost.
pub(super) fn create_folder(path: &Path) -> Result<(), RegisterError> {
    let failed = |source| RegisterError::Write { path: path.into(), source };
    fs::create_dir_all(path).map_err(failed)?;
    let probe = path.join(".atecc-register");
    write(&probe, "", 0o600)?;
    fs::remove_file(probe).map_err(failed)
}

/// Writes a file that is not there yet.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), RegisterError> {
    write(path, text, 0o644)
}

/// The same for the eyes of this user alone.
pub(super) fn write_secret(path: &Path, text: &str) -> Result<(), RegisterError> {
    write(path, text, 0o600)
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), RegisterError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    })
    .map_err(|source| RegisterError::Write { path: path.into(), source })
}
