//! `atecc pubkey`.

use std::path::PathBuf;

use atecc::certificate::key_identifier;
use clap::ValueEnum;
use serde::Serialize;

use crate::{error::Error, key_slot::KeySlot, output, public_key, session::Session};

/// Print the public key that belongs to a private key in the chip.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    key: KeySlot,
    /// How the key is written.
    #[arg(long, value_enum, default_value_t = Format::Pem)]
    format: Format,
    /// Print JSON for programs.
    #[arg(long, conflicts_with_all = ["format", "out"])]
    json: bool,
    /// Write to this file instead of standard output; an existing file is replaced.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// SubjectPublicKeyInfo in PEM, as OpenSSL reads it.
    Pem,
    /// X, then Y, in 128 hexadecimal digits.
    Hex,
}

/// The JSON document.
#[derive(Serialize)]
struct Document {
    slot: u8,
    public_key: String,
    /// SHA-1 of the point: the key identifier in certificates and the ID in PKCS#11.
    key_identifier: String,
    pem: String,
}

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let token = session.token()?;
    let slot = arguments.key.of(&token)?;
    let key = token.public_key(slot)?;
    let hex = output::hex(key.as_bytes());
    let pem = public_key::to_pem(&key)?;
    if arguments.json {
        return output::json(&Document {
            slot: slot.number(),
            public_key: hex,
            key_identifier: output::hex(&key_identifier(&key)),
            pem,
        });
    }
    let text = match arguments.format {
        Format::Pem => pem,
        Format::Hex => hex + "\n",
    };
    output::text(&text, arguments.out.as_deref())
}
