//! `atecc-agent subscribe`: prints what the running agent hands down.

use std::io::Write;

use atecc_agent::local::client::subscribe;

use crate::Failure;
use crate::cli::Subscribe;

pub(crate) fn run(arguments: Subscribe) -> Result<(), Failure> {
    let target = arguments.agent.target()?;
    let mut left = arguments.count;
    let print = |message: atecc_agent::mqtt::Message| {
        let mut out = std::io::stdout().lock();
        let mut line = Vec::new();
        if arguments.verbose {
            line.extend_from_slice(message.topic.as_bytes());
            line.push(b' ');
        }
        line.extend_from_slice(&message.payload);
        line.push(b'\n');
        // Who closes the pipe has seen enough.
        let written = out.write_all(&line).and_then(|()| out.flush()).is_ok();
        left = left.map(|left| left.saturating_sub(1));
        written && left != Some(0)
    };
    super::block_on(arguments.agent.timeout, subscribe(&target, &arguments.topic, print))?
        .map_err(Failure::runtime)
}
