//! `atecc man`.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use clap::CommandFactory;
use clap_mangen::Man;

use crate::{cli::Cli, error::Error};

/// Print the manual page.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Write a page for `atecc` and one for each verb into this folder instead.
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    out_dir: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    let Some(folder) = &arguments.out_dir else {
        let mut page = Vec::new();
        Man::new(Cli::command().disable_help_subcommand(true)).render(&mut page)?;
        return Ok(io::stdout().lock().write_all(&page)?);
    };
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|source| Error::OutputFile { path: folder.clone(), source })
}
