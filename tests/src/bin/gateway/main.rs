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

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

/// What goes wrong ends the program, with its message.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How long one thing may take to happen, on a machine with other work.
const LIMIT: Duration = Duration::from_secs(60);

/// The agent as a gateway, tried for what it promises: nothing that it accepted is lost, and what it costs.
#[derive(Debug, Parser)]
#[command(name = "gateway")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Kills agent and broker again and again while messages flow, and counts what is lost.
    Kills(kills::Options),
    /// Attacks the listener, and measures what it costs.
    Flood(flood::Options),
    /// Measures the whole path, beside mosquitto's bridge.
    Throughput(throughput::Options),
    /// Measures memory idle and with a backlog.
    Memory(memory::Options),
    /// Measures the time from the start of the agent to its first acknowledged message.
    Start(start::Options),
    /// Measures what it costs to have a message on the disk.
    Sync(sync::Options),
    /// Is a broker that writes to disk. The others start it.
    #[command(hide = true)]
    Double(double::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().verb {
        Verb::Kills(options) => kills::run(&options),
        Verb::Flood(options) => flood::run(&options),
        Verb::Throughput(options) => throughput::run(&options),
        Verb::Memory(options) => memory::run(&options),
        Verb::Start(options) => start::run(&options),
        Verb::Sync(options) => sync::run(&options),
        Verb::Double(options) => double::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}
