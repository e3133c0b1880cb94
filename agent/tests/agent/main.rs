//! The agent against the emulator of IoT Core, through the library and as a process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may; clippy.toml does not reach its helper functions"
)]
#![forbid(unsafe_code)]

#[path = "../../examples/demo/stage.rs"]
mod stage;

mod connection;
mod daemon;
mod defender;
mod double;
mod failures;
mod lines;
mod network;
mod outbox;
mod parts;
mod process;
mod provision;
mod quotas;
mod sessions;
mod tunnel;

use std::path::Path;
use std::time::Duration;

use atecc_agent::mqtt::{Link, Options};
use atecc_agent::supervisor::Report;
use atecc_agent::tls::{Connector, Roots, Versions};
use stage::Stage;

/// How long one thing may take to happen.
const LIMIT: Duration = Duration::from_secs(20);

/// A stage whose cloud knows the chip.
fn registered() -> Stage {
    let stage = Stage::new().unwrap();
    stage.register().unwrap();
    stage
}

/// A connector to the stage's listener without ALPN.
fn connector(stage: &Stage, versions: Versions) -> Connector {
    let roots = Roots::from_file(&stage.folder.path().join("ca.pem")).unwrap();
    Connector::new(&stage.identity, roots, stage.cloud.endpoint(), None, versions).unwrap()
}

/// Options for a link to the stage's listener without ALPN.
fn options(stage: &Stage) -> Options {
    let mut options = Options::new(&stage.thing);
    options.address = Some(stage.cloud.mqtt_address().to_string());
    options.reconnect.first = Duration::from_millis(50);
    options.reconnect.longest = Duration::from_millis(200);
    options
}

fn link(stage: &Stage) -> Link {
    // Nobody reads the events: they do not matter, and the channel is long enough.
    Link::start(options(stage), connector(stage, Versions::Both)).unwrap().0
}

/// A CA file with which nothing that the stage's cloud shows can be verified.
fn foreign_root(folder: &Path) -> std::path::PathBuf {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let file = folder.join("foreign.pem");
    std::fs::write(&file, parameters.self_signed(&key).unwrap().pem()).unwrap();
    file
}

/// The reason of a failed attempt.
fn reason(report: &Report) -> Option<String> {
    match report {
        Report::Disconnected { reason, .. } => Some(reason.to_string()),
        _ => None,
    }
}
