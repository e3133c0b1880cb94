//! The agent as a gateway, tried for what it promises: nothing that it accepted is lost, whatever is killed; hostile
//! programs on its machine cost a bounded amount of memory; and what it costs beside mosquitto's bridge.
//!
//!     gateway kills [--kills 300] [--broker-kills 30] [--messages 50000] [--clients 4] [--broker double|mosquitto]
//!                   [--full-disks 10] [--disk folder|tmpfs] [--seed S]
//!     gateway flood [--seconds 5]
//!     gateway throughput [--messages 20000] [--rounds 3]
//!     gateway memory [--megabytes 64]
//!     gateway start [--starts 11]
//!     gateway sync [--messages 500]
//!
//! The agent is the program `atecc-agent` beside this one, with a key in a file, so that no signature takes time; only
//! `start` tries it with an emulated chip, too, in real time.
//! Everything runs as processes. It exits with 1 if a promise was broken; figures are printed, and judged by the reader
//! where they are the machine's as well.
#![allow(clippy::print_stdout, reason = "figures are what it is for")]

mod accounts;
mod client;
mod disk;
mod double;
mod flood;
mod kills;
mod memory;
mod mosquitto;
mod random;
mod recorder;
mod stage;
mod start;
mod sync;
mod throughput;
mod wire;

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

/// What goes wrong ends the program, with its message.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How long one thing may take to happen, on a machine with other work.
const LIMIT: Duration = Duration::from_secs(60);

/// `--name value` pairs.
struct Options(BTreeMap<String, String>);

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>, known: &[&str]) -> Result<Self> {
        let mut options = BTreeMap::new();
        while let Some(name) = arguments.next() {
            let key = name.strip_prefix("--").filter(|key| known.contains(key));
            let key = key.ok_or_else(|| format!("there is no option {name}; there are {known:?}"))?;
            let value = arguments.next().ok_or_else(|| format!("{name} wants a value"))?;
            options.insert(key.to_owned(), value);
        }
        Ok(Self(options))
    }

    fn text(&self, name: &str, default: &str) -> String {
        self.0.get(name).map_or_else(|| default.to_owned(), Clone::clone)
    }

    fn number(&self, name: &str, default: u64) -> Result<u64> {
        match self.0.get(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| format!("--{name} wants a number, not {text:?}").into()),
        }
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let verb = arguments.next().unwrap_or_default();
    let known: &[&str] = match verb.as_str() {
        "kills" => &["kills", "broker-kills", "full-disks", "messages", "clients", "broker", "disk", "seed"],
        "flood" => &["seconds"],
        "throughput" => &["messages", "rounds"],
        "memory" => &["megabytes"],
        "start" => &["starts"],
        "sync" => &["messages"],
        "double" => &["port", "folder", "log"],
        _ => {
            eprintln!("gateway: kills, flood, throughput, memory, start or sync");
            return ExitCode::from(2);
        }
    };
    let result = Options::parse(arguments, known).and_then(|options| match verb.as_str() {
        "kills" => kills::run(&options),
        "flood" => flood::run(&options),
        "throughput" => throughput::run(&options),
        "memory" => memory::run(&options),
        "start" => start::run(&options),
        "sync" => sync::run(&options),
        _ => double::run(&options),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}
