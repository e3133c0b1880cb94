//! The whole path, from a program on the machine to the broker of the cloud, beside mosquitto's bridge with the same key,
//! broker, QoS and window.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use super::Result;
use super::client::fill;
use super::mosquitto::{Broker, bridge};
use super::recorder::Recorder;
use super::stage::{Stage, wait};

/// Bytes of a message, and messages of the program on their way.
const BYTES: usize = 100;
const WINDOW: usize = 100;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Messages on each path and in each round.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    messages: usize,
    /// How often both paths are measured.
    #[arg(long, value_name = "N", default_value_t = 7)]
    rounds: u64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let &Options { messages, rounds } = options;
    let stage = Stage::new()?;
    let broker = Broker::start(&stage)?;
    let recorder = Recorder::start(broker.plain)?;
    stage.configure("folder = 'outbox'")?;
    let _agent = stage.start_agent()?;
    let (_bridge, socket) = bridge(&stage)?;
    let paths = [("atecc-agent", stage.socket()), ("mosquitto bridge", socket)];
    for (name, socket) in &paths {
        wait(&format!("{name} listens"), || UnixStream::connect(socket).is_ok())?;
        // Connected to the cloud, and warm.
        carry(&recorder, socket, 200)?;
    }
    println!(
        "{messages} messages of {BYTES} bytes, QoS 1, {WINDOW} on their way, until the broker of the cloud has handed them on"
    );
    let mut rates = [Vec::new(), Vec::new()];
    for round in 1..=rounds {
        // Neither always comes behind the other.
        let order = if round % 2 == 1 { [0, 1] } else { [1, 0] };
        for number in order {
            let (name, socket) = &paths[number];
            let rate = carry(&recorder, socket, messages)?;
            println!("round {round}  {name:<17} {rate:>8.0}/s");
            rates[number].push(rate);
        }
    }
    let [ours, theirs] = rates.map(median);
    println!(
        "atecc-agent {ours:.0}/s (each message committed to disk), mosquitto bridge {theirs:.0}/s (in memory): {:.2} times",
        ours / theirs
    );
    Ok(())
}

/// Messages a second.
fn carry(recorder: &Recorder, socket: &Path, messages: usize) -> Result<f64> {
    recorder.clear();
    let start = Instant::now();
    fill(socket, messages, BYTES, WINDOW, || {})?;
    wait("all messages arrive", || recorder.count() >= messages)?;
    Ok(messages as f64 / start.elapsed().as_secs_f64())
}

pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}
