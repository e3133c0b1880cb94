//! `atecc manifest`: Microchip's signed lists of chips.

mod bulk;
mod chip;
mod create;
mod element;
mod entries;
mod error;
mod key;
mod log_signer;
mod meter;
mod pipeline;
mod problem;
mod refusal;
mod register;
mod show;
mod source;
mod trust;
mod verify;
mod x509;

pub(crate) use error::ManifestError;

use crate::{error::Error, session::Session};

/// Verify, show, register or make a manifest: the signed list of the chips on a reel, with their keys and certificates.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Bulk(bulk::Arguments),
    Create(create::Arguments),
    Register(Box<register::Arguments>),
    Show(show::Arguments),
    Verify(verify::Arguments),
}

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    match &arguments.action {
        Action::Bulk(arguments) => bulk::run(session, arguments),
        Action::Create(arguments) => create::run(session, arguments),
        Action::Register(arguments) => register::run(session, arguments),
        Action::Show(arguments) => show::run(session, arguments),
        Action::Verify(arguments) => verify::run(session, arguments),
    }
}
