//! `atecc verify`.

use std::{fs, path::PathBuf};

use atecc::PublicKey;
use serde::Serialize;

use crate::{
    error::Error, key_slot::KeySlot, message::Message, output, public_key, session::Session,
    signature::Format,
};

/// Verify a signature, with the key of the chip or any P-256 key.
///
/// Exit code 0: the signature was made with this key over this message. Exit code 1: it was not.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    message: Message,
    /// The file that holds the signature.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    signature: PathBuf,
    /// How the signature is written.
    #[arg(long, value_enum, default_value_t = Format::Der)]
    format: Format,
    #[command(flatten)]
    slot: KeySlot,
    /// Verify with the key in this PEM file, a public key or a certificate, and not with one of the chip.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with = "slot")]
    key: Option<PathBuf>,
    /// Let the chip verify, with its command Verify, instead of this program.
    #[arg(long)]
    in_chip: bool,
    /// Print JSON for programs.
    #[arg(long)]
    json: bool,
}

/// The JSON document.
#[derive(Serialize)]
struct Document {
    verified: bool,
    by: &'static str,
    public_key: String,
}

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let signature = read(&arguments.signature)?;
    let signature = arguments
        .format
        .read(&signature)
        .ok_or_else(|| Error::NotASignature { path: arguments.signature.clone() })?;
    let key = key(session, arguments)?;
    let digest = arguments.message.digest(session)?;
    let (verified, by) = if arguments.in_chip {
        (session.token()?.verify(&key, &digest, &signature)?, "chip")
    } else {
        (key.verify(&digest, &signature), "host")
    };
    if arguments.json {
        output::json(&Document { verified, by, public_key: output::hex(key.as_bytes()) })?;
    } else if verified {
        output::text("Verified OK\n", None)?;
    }
    if verified { Ok(()) } else { Err(Error::NotVerified) }
}

fn key(session: &mut Session, arguments: &Arguments) -> Result<PublicKey, Error> {
    match &arguments.key {
        Some(path) => public_key::from_pem(&read(path)?).ok_or_else(|| Error::NotAKey { path: path.clone() }),
        None => {
            let token = session.token()?;
            Ok(token.public_key(arguments.slot.of(&token)?)?)
        }
    }
}

fn read(path: &PathBuf) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::InputFile { path: path.clone(), source })
}
