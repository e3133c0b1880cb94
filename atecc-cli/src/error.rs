//! Why a verb did not do its work.

use std::{io, path::PathBuf};

use atecc::{Slot, request::RequestError};
use atecc_emulator::{FileError, provision::ProvisionError, socket::ServeError};
use rustyline::error::ReadlineError;

use crate::{aws::AwsError, ca::CaError, manifest::ManifestError, register::RegisterError};

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
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Ca(#[from] CaError),
    #[error(transparent)]
    Register(#[from] RegisterError),
    #[error("what the chip gave does not fit into X.509: {0}")]
    Der(#[from] x509_cert::der::Error),
    #[error("{path} cannot be read: {source}", path = path.display())]
    InputFile { path: PathBuf, source: io::Error },
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    #[error("cannot write {path}: {source}", path = path.display())]
    OutputFile { path: PathBuf, source: io::Error },
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("this output is binary and would upset the terminal; add --out FILE or another --format")]
    BinaryToTerminal,
    #[error("{path} holds no signature in this format; name its format with --format", path = path.display())]
    NotASignature { path: PathBuf },
    #[error(
        "{path} holds no P-256 public key; it must be a public key or a certificate in PEM",
        path = path.display()
    )]
    NotAKey { path: PathBuf },
    #[error("the signature was not made with this key over this message")]
    NotVerified,
    #[error("something is wrong with the chip or the way to it; each finding says how to mend it")]
    Unhealthy,
    #[error("slot {slot} is locked for ever, so it stays as it is")]
    SlotLocked { slot: Slot },
    #[error(
        "the configuration of the chip lets nobody make a new key in slot {slot}; `atecc info` shows where it does"
    )]
    NoNewKey { slot: Slot },
    #[error(
        "the configuration of the chip lets nobody lock slot {slot}; `atecc info` shows which can be locked"
    )]
    NotLockable { slot: Slot },
    #[error("nothing was changed: the slot is {slot} and the consent is for slot {named}")]
    OtherSlot { slot: Slot, named: Slot },
    #[error(
        "nothing was changed: the chip that was asked about is no longer there; begin again with the one that is"
    )]
    ChipChanged,
    #[error(
        "the emulated bus stopped by an error of this program; start it again and report the lines above"
    )]
    ServerDied,
    #[error(
        "no chip answers on a bus or port of this machine; is i2c-dev loaded (`modprobe i2c-dev`) and the device \
         plugged in? `atecc doctor` looks closer at the one that you name"
    )]
    NothingFound,
    #[error("a self test failed; power the chip off and on, and replace it if that does not help")]
    SelfTest,
    #[error("no certificate request: {0}")]
    Request(#[from] RequestError),
    #[error("in the shell, name the file of the message or give its --digest")]
    ShellInput,
    #[error("this is the shell already; Ctrl-D leaves it")]
    ShellInShell,
    #[error("the terminal cannot be read: {0}")]
    Terminal(#[from] ReadlineError),
    #[error("cancelled")]
    Cancelled,
    #[error("nothing was changed, since these were not the words")]
    NotConfirmed,
    #[error("nobody can be asked, since standard input is no terminal; a script says {option}")]
    NobodyToAsk { option: String },
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

    /// Whether there is no chip to talk to at the moment.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Token(error) if error.is_absent())
    }
}
