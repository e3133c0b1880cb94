//! `atecc-agent man` and `atecc-agent completions`: what packages install beside the program.

use std::io::Write;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::Failure;
use crate::cli::{Arguments, Completions, Pages};

pub(crate) fn pages(arguments: &Pages) -> Result<(), Failure> {
    let Some(folder) = &arguments.out_dir else {
        let mut page = Vec::new();
        Man::new(Arguments::command().disable_help_subcommand(true))
            .render(&mut page)
            .map_err(Failure::runtime)?;
        return print(&page);
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), folder))
        .map_err(|error| Failure::runtime(format!("cannot write to {}: {error}", folder.display())))
}

pub(crate) fn completions(arguments: &Completions) -> Result<(), Failure> {
    // Into memory first: the generator gives up loudly where a pipe is closed.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "atecc-agent", &mut script);
    print(&script)
}

fn print(text: &[u8]) -> Result<(), Failure> {
    // A closed stdout is nobody's problem.
    match std::io::stdout().write_all(text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::runtime(error)),
        _ => Ok(()),
    }
}
