//! `atecc sign`.

use std::path::PathBuf;

use crate::{error::Error, key_slot::KeySlot, message::Message, output, session::Session, signature::Format};

/// Sign a file with a key that is in the chip.
///
/// The signature is ECDSA with P-256 over the SHA-256 of the message, and was verified before it is printed.
/// To verify it elsewhere: `openssl dgst -sha256 -verify public.pem -signature FILE MESSAGE`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    message: Message,
    #[command(flatten)]
    key: KeySlot,
    /// How the signature is written.
    #[arg(long, value_enum, default_value_t = Format::Der)]
    format: Format,
    /// Write to this file instead of standard output; an existing file is replaced.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
}

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let token = session.token()?;
    let digest = arguments.message.digest(session)?;
    let signature = token.sign(arguments.key.of(&token)?, &digest)?;
    let signature = arguments.format.write(&signature);
    if arguments.format.is_text() {
        output::text(&String::from_utf8_lossy(&signature), arguments.out.as_deref())
    } else {
        output::binary(&signature, arguments.out.as_deref())
    }
}
