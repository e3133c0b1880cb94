//! `atecc random`.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::{error::Error, output, progress::Progress, session::Session};

/// Print random numbers from the chip's generator.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many bytes. The chip makes about a thousand per second.
    #[arg(default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    bytes: u32,
    /// How they are written.
    #[arg(long, value_enum, default_value_t = Format::Hex)]
    format: Format,
    /// Write to this file instead of standard output; an existing file is replaced.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One line of hexadecimal digits.
    Hex,
    /// The bytes as they are.
    Binary,
}

/// What the chip gives at a time.
const BLOCK: usize = 32;

pub(crate) fn run(session: &mut Session, arguments: &Arguments) -> Result<(), Error> {
    let token = session.token()?;
    let mut bytes = vec![0; arguments.bytes as usize];
    let mut progress = Progress::new(bytes.len().div_ceil(BLOCK), false);
    for block in bytes.chunks_mut(BLOCK) {
        session.check_cancelled()?;
        progress.begin("random numbers");
        token.random(block)?;
        progress.done();
    }
    drop(progress);
    match arguments.format {
        Format::Hex => output::text(&(output::hex(&bytes) + "\n"), arguments.out.as_deref()),
        Format::Binary => output::binary(&bytes, arguments.out.as_deref()),
    }
}
