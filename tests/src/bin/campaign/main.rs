//! The long campaigns: random commands against the access rules, random input to every parser, random faults on
//! the bus, and a soak of the shared bus.
//!
//! `campaign --minutes N` divides N minutes between them and prints what each did. `campaign --parsers N` gives N
//! inputs to the parsers and does nothing else; what [`link`] has is asked for in the same way. All exit with 1 at the
//! first thing that is wrong, and with the seed that shows it again (`--seed S`).

mod access;
mod faults;
mod link;
mod parsers;
mod soak;
mod socket;

use std::{
    process::ExitCode,
    time::{Duration, Instant, SystemTime},
};

use clap::{Args, Parser};

/// What a campaign found: a line of figures, or what is wrong.
type Report = Result<String, String>;
/// One of them, by name; it ends soon after the given time.
type Campaign = (&'static str, fn(Instant, Random) -> Report);

/// The long campaigns: random commands against the access rules, random input to every parser, random faults on the bus,
/// and a soak of the shared bus. Exits with 1 at the first thing that is wrong, and says how to see it again.
#[derive(Debug, Parser)]
#[command(name = "campaign")]
struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Shows a run again, as far as threads and time allow.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

/// What to do, one of it.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Which {
    /// Divides N minutes between the campaigns, and prints what each did; 10 if nothing else is asked for.
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// Gives N inputs to the parsers.
    #[arg(long, value_name = "N")]
    parsers: Option<u64>,
    /// Sends N frames of the bridge protocol over a line that damages them.
    #[arg(long, value_name = "N")]
    link: Option<u64>,
    /// Sends N lines of Microchip's text protocol over the same line.
    #[arg(long, value_name = "N")]
    kit: Option<u64>,
    /// Gives N inputs to the ends of both protocols.
    #[arg(long, value_name = "N")]
    link_inputs: Option<u64>,
}

fn main() -> ExitCode {
    let Arguments { which, seed } = Arguments::parse();
    if let Some(code) = link::asked(&which, seed) {
        return code;
    }
    let seed = seed.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        now.as_micros() as u64
    });
    if let Some(count) = which.parsers {
        println!("{count} inputs for the parsers, seed {seed}");
        return print("parsers", seed, Instant::now(), parsers::run_count(count, seed));
    }
    let minutes = which.minutes.unwrap_or(10);
    println!("campaigns for {minutes} min, seed {seed}");
    let share = Duration::from_secs(minutes * 60) / 5;
    let campaigns: [Campaign; 5] = [
        ("access", access::run),
        ("parsers", parsers::run),
        ("socket", socket::run),
        ("faults", faults::run),
        ("soak", soak::run),
    ];
    for (name, run) in campaigns {
        let start = Instant::now();
        let code = print(name, seed, start, run(start + share, Random(seed | 1)));
        if code != ExitCode::SUCCESS {
            return code;
        }
    }
    ExitCode::SUCCESS
}

/// Prints what a campaign found; the exit code says whether it is good.
fn print(name: &str, seed: u64, start: Instant, report: Report) -> ExitCode {
    match report {
        Ok(figures) => {
            println!("{name:<8} {figures}, {:.0} s", start.elapsed().as_secs_f64());
            ExitCode::SUCCESS
        }
        Err(problem) => {
            println!("{name:<8} FAILED with --seed {seed}: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Repeatable pseudo-random numbers (xorshift64), for test data only.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Up to `longest` bytes.
    pub(crate) fn bytes(&mut self, longest: usize) -> Vec<u8> {
        let length = self.below(longest + 1);
        (0..length).map(|_| self.next() as u8).collect()
    }
}
