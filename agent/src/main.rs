//! `atecc-agent`: command line, log, service and exit code around the library.
#![forbid(unsafe_code)]

mod cli;
mod log;
mod service;
mod verbs;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use atecc_agent::health::Monitor;
use atecc_agent::supervisor::{self, End};
use atecc_agent::{key, provision};
use clap::Parser;

use cli::{Arguments, Verb};

fn main() -> ExitCode {
    // A wrong command line ends here, with exit code 2.
    let arguments = Arguments::parse();
    // Asked now, because an update may have put another file in its place by then.
    let program = std::env::current_exe();
    let monitor = Monitor::new();
    let log = log::start(arguments.log, arguments.log_format, &monitor);
    let result = log.and_then(|filter| match arguments.verb {
        Verb::Run(arguments) => match service::run(arguments, &monitor, &filter)? {
            End::Stopped => Ok(()),
            End::Restart => Err(restart(program.map_err(Failure::runtime)?)),
        },
        Verb::Publish(arguments) => verbs::publish::run(arguments),
        Verb::Subscribe(arguments) => verbs::subscribe::run(arguments),
        Verb::Provision(arguments) => verbs::provision::run(arguments),
        Verb::Credentials(arguments) => verbs::credentials::run(arguments),
        Verb::Tunnel(arguments) => verbs::tunnel::run(arguments),
        Verb::Check(arguments) => verbs::check::run(&arguments),
        Verb::Man(arguments) => verbs::man::pages(&arguments),
        Verb::Completions(arguments) => verbs::man::completions(&arguments),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Not through the log, which may be filtered away; in the journal an error all the same. A closed stderr is
            // nobody's problem.
            let priority = if log::is_journal() { log::ERROR } else { "" };
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("{priority}atecc-agent: {}\n", failure.message),
            );
            ExitCode::from(failure.code)
        }
    }
}

/// Why the program ends.
struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn configuration(message: impl ToString) -> Self {
        Self { code: 2, message: message.to_string() }
    }

    fn runtime(message: impl ToString) -> Self {
        Self { code: 1, message: message.to_string() }
    }
}

impl From<supervisor::Error> for Failure {
    fn from(error: supervisor::Error) -> Self {
        if error.is_configuration() { Self::configuration(error) } else { Self::runtime(error) }
    }
}

impl From<key::Error> for Failure {
    fn from(error: key::Error) -> Self {
        if error.is_configuration() { Self::configuration(error) } else { Self::runtime(error) }
    }
}

impl From<provision::Error> for Failure {
    fn from(error: provision::Error) -> Self {
        if error.is_configuration() { Self::configuration(error) } else { Self::runtime(error) }
    }
}

/// Lets this process become `program` with the same arguments, in whose place a newer one may lie. Gives why it cannot.
fn restart(program: PathBuf) -> Failure {
    tracing::info!("starting again");
    let error = Command::new(&program).args(std::env::args_os().skip(1)).exec();
    Failure::runtime(format!("cannot start {} again: {error}", program.display()))
}
