//! `atecc cert`.

use std::path::PathBuf;

use atecc_token::{Token, default_device};
use clap::ValueEnum;

use crate::{error::Error, output};

/// Print the certificates of the chip, in PEM.
///
/// They are rebuilt from what the chip stores, byte for byte as the factory signed them, and verified up to
/// the root before they are printed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which of them.
    #[arg(value_enum, default_value_t = Part::Chain)]
    part: Part,
    /// Write to this file instead of standard output; an existing file is replaced.
    #[arg(long, value_name = "FILE")]
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

pub(crate) fn run(device: Option<&str>, arguments: &Arguments) -> Result<(), Error> {
    let token = Token::open(&default_device(device)?)?;
    let certificates = token.certificates()?;
    let pem = match arguments.part {
        Part::Chain => certificates.chain_pem(),
        Part::Device => certificates.device_pem(),
        Part::Signer => certificates.signer_pem(),
        Part::Root => certificates.root_pem(),
    };
    output::text(&pem, arguments.out.as_deref())
}
