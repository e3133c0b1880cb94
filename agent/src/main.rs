//! `atecc-agent`: command line, log, signals and exit code around the library.
#![forbid(unsafe_code)]

mod cli;
mod verbs;

use std::process::ExitCode;

use atecc_agent::config::Config;
use atecc_agent::{key, provision, supervisor};
use clap::Parser;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use cli::{Arguments, Run, Verb};

/// The environment variable with the log filter.
const LOG_VARIABLE: &str = "ATECC_LOG";

fn main() -> ExitCode {
    // A wrong command line ends here, with exit code 2.
    let arguments = Arguments::parse();
    let result = start_log(arguments.log).and_then(|()| match arguments.verb {
        Verb::Run(arguments) => run(arguments),
        Verb::Publish(arguments) => verbs::publish::run(arguments),
        Verb::Subscribe(arguments) => verbs::subscribe::run(arguments),
        Verb::Provision(arguments) => verbs::provision::run(arguments),
        Verb::Credentials(arguments) => verbs::credentials::run(arguments),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Not through the log, which may be filtered away. A closed stderr is nobody's problem.
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("atecc-agent: {}\n", failure.message),
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

fn start_log(filter: Option<String>) -> Result<(), Failure> {
    let filter = filter.or_else(|| std::env::var(LOG_VARIABLE).ok()).unwrap_or_else(|| "info".to_owned());
    let filter = EnvFilter::try_new(&filter)
        .map_err(|error| Failure::configuration(format!("log filter {filter:?}: {error}")))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
    Ok(())
}

fn run(arguments: Run) -> Result<(), Failure> {
    let config = Config::load(&arguments.config).map_err(Failure::configuration)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::runtime)?;
    runtime.block_on(async {
        let shutdown = shutdown_signal().map_err(Failure::runtime)?;
        verbs::run::run(&config, &arguments, shutdown).await
    })
}

/// Ends when the process is told to end. The handlers are in place when this returns.
fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let name = tokio::select! {
            () = received(&mut terminate) => "SIGTERM",
            () = received(&mut interrupt) => "SIGINT",
        };
        tracing::info!("{name} received, stopping");
    })
}

async fn received(signal: &mut Signal) {
    // `None` would mean that the runtime ends, and then this does as well.
    signal.recv().await;
}
