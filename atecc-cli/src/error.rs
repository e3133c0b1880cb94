//! Why a verb did not do its work.

use std::{io, path::PathBuf};

use atecc_emulator::{FileError, provision::ProvisionError, socket::ServeError};

/// An error whose text says what to do next.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Token(#[from] atecc_token::Error),
    #[error(transparent)]
    EmulatorFile(#[from] FileError),
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("the chip's certificate is not valid X.509: {0}")]
    Certificate(#[from] x509_cert::der::Error),
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    #[error("cannot write {path}: {source}", path = path.display())]
    OutputFile { path: PathBuf, source: io::Error },
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// Whether the reader of the output has gone, as `head` does: no failure of ours.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        let kind = match self {
            Self::Output(error) => Some(error.kind()),
            Self::Json(error) => error.io_error_kind(),
            _ => None,
        };
        kind == Some(io::ErrorKind::BrokenPipe)
    }
}
