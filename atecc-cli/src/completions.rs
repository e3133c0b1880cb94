//! `atecc completions`.

use std::io;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{cli::Cli, error::Error};

/// Print what a shell needs to complete `atecc`.
///
/// For bash: `atecc completions bash > ~/.local/share/bash-completion/completions/atecc`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    // Into memory first: the generator gives up loudly where a pipe is closed.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "atecc", &mut script);
    Ok(io::Write::write_all(&mut io::stdout().lock(), &script)?)
}
