//! `atecc bridge`.

use std::{path::PathBuf, thread};

use atecc_token::{BridgeServer, DeviceSpec};
use clap::Subcommand;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::error::Error;

/// Offer a chip to others: containers, programs without rights on the bus, statically linked ones.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Serve a chip on a Unix socket that any number of programs share, until interrupted.
    ///
    /// They reach it as unix:SOCKET. Who may write to the socket may use the chip, and everything that it allows.
    Serve {
        /// The chip, as behind --device.
        #[arg(value_name = "DEVICE")]
        spec: DeviceSpec,
        /// The socket to make: unix:PATH.
        #[arg(long, value_name = "unix:PATH", value_parser = socket)]
        listen: PathBuf,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    let Action::Serve { spec, listen } = &arguments.action;
    let server = BridgeServer::bind(spec, listen)?;
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let mark = if server.is_emulated() { "EMULATOR: " } else { "" };
    println!("{mark}serving {spec} on {}", listen.display());
    println!("use it with --device unix:{}", listen.display());
    thread::scope(|scope| {
        let handle = signals.handle();
        let serving = scope.spawn({
            let server = &server;
            move || {
                server.run();
                // The wait below ends, whatever made the server end.
                handle.close();
            }
        });
        signals.forever().next();
        server.stop();
        serving.join().map_err(|_| Error::ServerDied)
    })
}

fn socket(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("unix:") {
        Some(path) if !path.is_empty() => Ok(path.into()),
        _ => Err("it is written unix:PATH".into()),
    }
}
