//! What is signed or verified: a file, standard input, or a digest made elsewhere.

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

use atecc::Digest;
use sha2::{Digest as _, Sha256};

use crate::{error::Error, session::Session, values};

/// The message, or its digest.
#[derive(Debug, clap::Args)]
pub(crate) struct Message {
    /// The message; without it, standard input. Its SHA-256 is what the chip sees.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// The digest of the message instead: 64 hexadecimal digits.
    #[arg(long, value_name = "HEX", conflicts_with = "file", value_parser = values::digest)]
    digest: Option<Digest>,
}

impl Message {
    /// 32 bytes.
    pub(crate) fn digest(&self, session: &Session) -> Result<Digest, Error> {
        match (&self.digest, &self.file) {
            (Some(digest), _) => Ok(*digest),
            (None, Some(path)) => File::open(path)
                .and_then(|file| sha256(file, session))
                .map_err(|source| Error::InputFile { path: path.clone(), source })?,
            (None, None) if session.is_shell() => Err(Error::ShellInput),
            (None, None) => sha256(io::stdin().lock(), session)
                .map_err(|source| Error::InputFile { path: "standard input".into(), source })?,
        }
    }
}

/// The hash of all that `input` gives; the outer error is that of reading it.
fn sha256(mut input: impl Read, session: &Session) -> io::Result<Result<Digest, Error>> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        if let Err(cancelled) = session.check_cancelled() {
            return Ok(Err(cancelled));
        }
        match input.read(&mut buffer) {
            Ok(0) => return Ok(Ok(hash.finalize().into())),
            Ok(length) => hash.update(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
