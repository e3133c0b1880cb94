//! `atecc-agent publish`: hands messages to the running agent.

use std::io::{BufRead, Read, Write};

use atecc_agent::local::client::publish;

use crate::Failure;
use crate::cli::Publish;

pub(crate) fn run(arguments: Publish) -> Result<(), Failure> {
    let target = arguments.agent.target()?;
    let messages: Box<dyn Iterator<Item = std::io::Result<Vec<u8>>>> =
        match (arguments.message, arguments.file, arguments.lines) {
            (Some(message), _, _) => Box::new(std::iter::once(Ok(message.into_bytes()))),
            (None, Some(file), _) => Box::new(std::iter::once(std::fs::read(file))),
            (None, None, true) => Box::new(std::io::stdin().lock().split(b'\n')),
            (None, None, false) => {
                let mut message = Vec::new();
                let read = std::io::stdin().read_to_end(&mut message);
                Box::new(std::iter::once(read.map(|_| message)))
            }
        };
    let taken = super::block_on(arguments.agent.timeout, publish(&target, &arguments.topic, messages))?
        .map_err(Failure::runtime)?;
    if arguments.verbose {
        // A closed stdout is nobody's problem.
        let _ = writeln!(std::io::stdout(), "{taken} taken");
    }
    Ok(())
}
