//! `atecc ca`: certificate authorities in AWS IoT Core.

mod error;
mod register;
mod template;
mod verification;

pub(crate) use error::CaError;

use crate::{error::Error, session::Session};

/// Register a certificate authority with AWS IoT Core, so that its devices come in with what it issued.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Register(Box<register::Arguments>),
    Template(template::Arguments),
}

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    match &arguments.action {
        Action::Register(arguments) => register::run(session, arguments),
        Action::Template(arguments) => template::run(arguments),
    }
}
