//! The long campaigns: random commands against the access rules, random input to every parser, random faults on
//! the bus, and a soak of the shared bus.
//!
//! `campaign --minutes N` divides N minutes between them and prints what each did. `campaign --parsers N` gives N
//! inputs to the parsers and does nothing else. Both exit with 1 at the first thing that is wrong, and with the seed
//! that shows it again (`--seed S`).

mod access;
mod faults;
mod link;
mod parsers;
mod soak;
mod socket;

use std::{
    env,
    process::ExitCode,
    time::{Duration, Instant, SystemTime},
};

/// What a campaign found: a line of figures, or what is wrong.
type Report = Result<String, String>;
/// One of them, by name; it ends soon after the given time.
type Campaign = (&'static str, fn(Instant, Random) -> Report);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some(code) = link::asked(&arguments) {
        return code;
    }
    let option = |name: &str| {
        let position = arguments.iter().position(|argument| argument == name)?;
        arguments.get(position + 1)?.parse::<u64>().ok()
    };
    let seed = option("--seed").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        now.as_micros() as u64
    });
    if let Some(count) = option("--parsers") {
        println!("{count} inputs for the parsers, seed {seed}");
        return print("parsers", seed, Instant::now(), parsers::run_count(count, seed));
    }
    let minutes = option("--minutes").unwrap_or(10);
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
