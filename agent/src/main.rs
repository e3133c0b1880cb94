//! `atecc-agent`: command line, log, signals and exit code around the library.
#![forbid(unsafe_code)]

mod cli;
mod verbs;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use atecc_agent::config::Config;
use atecc_agent::supervisor::{self, End};
use atecc_agent::{key, provision};
use clap::Parser;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use cli::{Arguments, Run, Verb};

/// The environment variable with the log filter.
const LOG_VARIABLE: &str = "ATECC_LOG";

fn main() -> ExitCode {
    // A wrong command line ends here, with exit code 2.
    let arguments = Arguments::parse();
    let result = start_log(arguments.log).and_then(|log_filter| match arguments.verb {
        Verb::Run(arguments) => run(arguments, log_filter),
        Verb::Publish(arguments) => verbs::publish::run(arguments),
        Verb::Subscribe(arguments) => verbs::subscribe::run(arguments),
        Verb::Provision(arguments) => verbs::provision::run(arguments),
        Verb::Credentials(arguments) => verbs::credentials::run(arguments),
        Verb::Tunnel(arguments) => verbs::tunnel::run(arguments),
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

/// Gives what changes the filter later.
fn start_log(filter: Option<String>) -> Result<impl LogFilter, Failure> {
    let filter = filter.or_else(|| std::env::var(LOG_VARIABLE).ok()).unwrap_or_else(|| "info".to_owned());
    let filter = EnvFilter::try_new(&filter)
        .map_err(|error| Failure::configuration(format!("log filter {filter:?}: {error}")))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_filter_reloading();
    let handle = log.reload_handle();
    log.init();
    Ok(move |filter: &str| {
        let new = EnvFilter::try_new(filter).map_err(|error| format!("log filter {filter:?}: {error}"))?;
        handle.reload(new).map_err(|error| error.to_string())
    })
}

/// Changes what is logged; the error says why it cannot.
trait LogFilter: Fn(&str) -> Result<(), String> + Clone + Send + 'static {}

impl<T: Fn(&str) -> Result<(), String> + Clone + Send + 'static> LogFilter for T {}

fn run(arguments: Run, log_filter: impl LogFilter) -> Result<(), Failure> {
    // Asked now, because an update may have put another file in its place by then.
    let program = std::env::current_exe();
    let config = Config::load(&arguments.config).map_err(Failure::configuration)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::runtime)?;
    let end = runtime.block_on(async {
        let shutdown = shutdown_signal().map_err(Failure::runtime)?;
        verbs::run::run(&config, &arguments, &log_filter, shutdown).await
    })?;
    match end {
        End::Stopped => Ok(()),
        End::Restart => Err(restart(program.map_err(Failure::runtime)?)),
    }
}

/// Lets this process become `program` with the same arguments, in whose place a newer one may lie. Gives why it cannot.
fn restart(program: PathBuf) -> Failure {
    tracing::info!("starting again");
    let error = Command::new(&program).args(std::env::args_os().skip(1)).exec();
    Failure::runtime(format!("cannot start {} again: {error}", program.display()))
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
