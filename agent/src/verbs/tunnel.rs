//! `atecc-agent tunnel`: mutual TLS for programs that have no way to the key.

use std::time::Duration;

use atecc_agent::config::Config;
use atecc_agent::dial::{Dialler, proxy_of_environment};
use atecc_agent::key;
use atecc_agent::local::client::Target;
use atecc_agent::tls::{Connector, Roots, Versions};
use atecc_agent::tunnel::{Entrance, Options, Tunnel};
use atecc_token::default_device;
use identity::{Identity, Key, KeySource};

use crate::Failure;
use crate::cli;
use crate::service::shutdown_signal;

pub(crate) fn run(arguments: cli::Tunnel) -> Result<(), Failure> {
    let config = arguments.config.as_deref().map(Config::load).transpose().map_err(Failure::configuration)?;
    let from_config = config.as_ref().map(|config| config.ca_file.clone());
    let ca_file = arguments.ca_file.clone().or(from_config).ok_or_else(|| {
        Failure::configuration(
            "--ca-file is missing: the CA certificates that the server's must lead to (PEM)",
        )
    })?;
    let roots = Roots::from_file(&ca_file).map_err(Failure::configuration)?;
    let identity = identity(&arguments, config.as_ref())?;
    let destination = arguments.connect;
    let name = arguments.server_name.as_deref().unwrap_or(destination.host());
    let connector = Connector::new(&identity, roots, name, arguments.alpn.as_deref(), Versions::Both)
        .map_err(Failure::configuration)?;
    let entrance = match Target::parse(&arguments.listen) {
        Target::Socket(path) => Entrance::Socket(path),
        Target::Address(address) => Entrance::Address(address),
    };
    let proxy = match config {
        Some(config) => config.proxy,
        None => {
            let variable = |name: &str| std::env::var(name).ok();
            proxy_of_environment(&destination, variable).map_err(Failure::configuration)?
        }
    };
    let mut options = Options::new(entrance, Dialler::new(destination, proxy));
    options.connections = usize::from(arguments.connections.get());
    options.idle = Duration::from_secs(arguments.idle.get().into());
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::runtime)?;
    runtime.block_on(async {
        let shutdown = shutdown_signal().map_err(Failure::runtime)?;
        let server = options.dialler.to_string();
        let entrance = options.entrance.to_string();
        let tunnel = Tunnel::open(options, connector).map_err(Failure::configuration)?;
        let entrance = tunnel.address().map_or(entrance, |address| address.to_string());
        tracing::info!(entrance, server, "tunnel ready");
        tunnel.run(shutdown).await;
        Ok(())
    })
}

/// What the command line says, else the configuration, else the device that all programs of this project take.
fn identity(arguments: &cli::Tunnel, config: Option<&Config>) -> Result<Identity, Failure> {
    let device = arguments.device.as_deref();
    let key = match (&arguments.key, config) {
        // Not with the text, which may hold a PIN.
        (Some(key), _) => Key::open(&key.parse::<KeySource>().map_err(Failure::configuration)?),
        (None, Some(config)) => Ok(config.open_key(device)?),
        (None, None) => Key::open(&KeySource::Chip(default_device(device).map_err(Failure::configuration)?)),
    };
    let from_config = config.and_then(|config| config.certificate_file.as_deref());
    let certificate = arguments.certificate.as_deref().or(from_config);
    let identity = key.and_then(|key| Identity::with_key(key, certificate));
    identity.map_err(|error| key::Error::from(error).into())
}
