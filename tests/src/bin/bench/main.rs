//! What each thing costs on the bus: our driver in virtual time, then ours and Microchip's library in real time.
//!
//! `bench` prints tables in Markdown, `bench --json` the same figures for programs, `bench --bridge` only what a
//! signature costs over the bridge protocol, which is virtual time and takes a few seconds. In real time the two take
//! turns on one served bus, so that the noise of the machine meets both. Without Microchip's library, which
//! `tests/run` installs, only ours is measured; without `module-sign` and the module beside this program, nothing of
//! PKCS#11. The page about it is docs/performance.md.

mod bridged;
mod cost;
mod module;
mod scenario;
mod served;
mod simulated;
mod table;
mod vendor;

use std::{error::Error, process::ExitCode, thread};

use atecc_emulator::{Bus, Chip, Clock, Pace, provision, socket::Server};
use clap::Parser;

use cost::Cost;
use module::Module;
use scenario::Scenario;
use served::Served;
use simulated::Simulated;
use table::Measured;
use vendor::Vendor;

/// What goes wrong ends the program, with its message.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Somebody who does what a scenario says.
trait Side {
    /// The name in the table.
    const NAME: &'static str;

    /// Does it once, and gives what it cost; nothing if it has no such thing.
    fn measure(&mut self, scenario: Scenario) -> Result<Option<Cost>>;
}

/// How often: openings, and in each of them how often what is done again and again.
#[derive(Clone, Copy)]
struct Rounds {
    openings: usize,
    repetitions: usize,
}

/// 5,000 signatures, each 50 on a chip of their own.
const SIMULATED: Rounds = Rounds { openings: 100, repetitions: 50 };
/// 60 signatures of each side, about a minute in all.
const SERVED: Rounds = Rounds { openings: 5, repetitions: 12 };

/// What each thing costs on the bus: our driver in virtual time, then ours and Microchip's library in real time. Prints
/// tables in Markdown.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    /// Prints the same figures for programs.
    #[arg(long = "json")]
    is_json: bool,
    /// Only what a signature costs over the bridge protocol, which takes a few seconds.
    #[arg(long = "bridge")]
    is_bridge: bool,
}

fn main() -> ExitCode {
    let Arguments { is_json, is_bridge } = Arguments::parse();
    let result = bridged::measure()
        .and_then(|bridged| Ok((bridged, if is_bridge { Measured::default() } else { run()? })));
    match result {
        Ok((bridged, measured)) if is_json => {
            let rows = [table::json(&measured), bridged::json(&bridged)].concat();
            println!("[\n  {}\n]", rows.join(",\n  "));
        }
        Ok((bridged, _)) if is_bridge => print!("{}", bridged::markdown(&bridged)),
        Ok((bridged, measured)) => print!("{}\n{}", table::markdown(&measured), bridged::markdown(&bridged)),
        Err(error) => {
            eprintln!("bench: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn run() -> Result<Measured> {
    let mut measured = Measured::default();
    let mut simulated = Simulated::new()?;
    for_each(SIMULATED, |scenario| measured.add(&mut simulated, scenario))?;

    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("bus.sock");
    // What `atecc emulator serve` runs, here with its meter at hand.
    let server = Server::bind(&socket)?;
    let bus = Bus::new(Chip::new(provision::tng_tls()?, Pace::Typical), Clock::real(), Bus::STANDARD_HERTZ);
    let meter = bus.meter();
    thread::scope(|scope| {
        let serving = scope.spawn(|| server.run(bus));
        let result = (|| {
            let mut ours = Served::new(&socket, meter.clone())?;
            let inputs = ours.inputs();
            let mut module = Module::new(&socket, folder.path(), meter.clone())
                .inspect_err(|reason| eprintln!("bench: without the module: {reason}"))
                .ok();
            let mut theirs = Vendor::start(&socket, folder.path(), meter, inputs)
                .inspect_err(|reason| eprintln!("bench: without Microchip's library: {reason}"))
                .ok();
            for_each(SERVED, |scenario| {
                measured.add(&mut ours, scenario)?;
                module.as_mut().map_or(Ok(()), |module| measured.add(module, scenario))?;
                theirs.as_mut().map_or(Ok(()), |theirs| measured.add(theirs, scenario))
            })
        })();
        server.stop();
        // A server that failed has made the sides fail too, who say more.
        let _ = serving.join();
        result
    })?;
    Ok(measured)
}

fn for_each(rounds: Rounds, mut measure: impl FnMut(Scenario) -> Result<()>) -> Result<()> {
    for _ in 0..rounds.openings {
        for scenario in Scenario::ALL {
            let repetitions = if scenario.is_repeated() { rounds.repetitions } else { 1 };
            for _ in 0..repetitions {
                measure(scenario)?;
            }
        }
    }
    Ok(())
}
