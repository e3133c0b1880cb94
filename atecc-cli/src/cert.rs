//! `atecc cert`.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::{error::Error, output, session::Session};

/// Print the certificates of the chip, in PEM.
///
/// They are rebuilt from what the chip stores, byte for byte as the factory signed them, and verified up to
/// the root before they are printed.
///
/// To hand the chip's certificate to AWS: `atecc cert device --out fetched_client.crt.pem`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which of them.
    #[arg(value_enum, default_value_t = Part::Chain)]
    part: Part,
    /// Write to this file instead of standard output; an existing file is replaced.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    /// The device's and its signer's: what a TLS client sends.
    Chain,
    /// That of the chip's key.
    Device,
    /// That of its issuer.
    Signer,
    /// The root above the signer: what a TLS server trusts.
    Root,
}

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let token = session.token()?;
    let certificates = token.certificates()?;
    let pem = match arguments.part {
        Part::Chain => certificates.chain_pem(),
        Part::Device => certificates.device_pem(),
        Part::Signer => certificates.signer_pem(),
        Part::Root => certificates.root_pem(),
    };
    output::text(&pem, arguments.out.as_deref())
}
