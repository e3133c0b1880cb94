//! `atecc manifest`: Microchip's signed lists of chips.

mod create;
mod element;
mod entries;
mod error;
mod key;
mod log_signer;
mod meter;
mod pipeline;
mod refusal;
mod show;
mod source;
mod trust;
mod verify;
mod x509;

pub(crate) use error::ManifestError;

use crate::{error::Error, session::Session};

/// Verify, show or make a manifest: the signed list of the chips on a reel, with their keys and certificates.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Create(create::Arguments),
    Show(show::Arguments),
    Verify(verify::Arguments),
}

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    match &arguments.action {
        Action::Create(arguments) => create::run(session, arguments),
        Action::Show(arguments) => show::run(session, arguments),
        Action::Verify(arguments) => verify::run(session, arguments),
    }
}
