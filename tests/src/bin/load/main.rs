//! The PKCS#11 module under load: processes and threads of several users on one bus, in real time, and processes that
//! are killed in mid-signature. Every signature is verified against its own digest.
//!
//! `load [--module PATH] [--users N] [--signatures N] [--kills N]`: 16 users with 100 signatures each and 200 kills,
//! which take seven minutes. The module and the program `module-sign` are those beside this program, unless PATH
//! says where the module is. As root, every other process runs as nobody.
//!
//! It exits with 1 if a signature is missing or wrong. Throughput is printed, and judged by nobody but the reader: it
//! is the machine's as well.

mod bench;
mod signer;

use std::{env, error::Error, path::PathBuf, process::ExitCode, time::Duration};

use bench::Bench;
use clap::Parser;
use signer::Work;

/// What goes wrong ends the program, with its message.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How long a victim works before it is killed: up to one signature and a half.
const LONGEST_LIFE_MS: u64 = 150;

/// The PKCS#11 module under load: processes and threads of several users on one bus, and processes that are killed in
/// mid-signature. Exits with 1 if a signature is missing or wrong.
#[derive(Debug, Parser)]
#[command(name = "load")]
struct Options {
    /// The module; without it, the one beside this program.
    #[arg(long, value_name = "PATH")]
    module: Option<PathBuf>,
    /// Users at the same time.
    #[arg(long, value_name = "N", default_value_t = 16)]
    users: u32,
    /// Signatures of each.
    #[arg(long, value_name = "N", default_value_t = 100)]
    signatures: u32,
    /// Processes that are killed.
    #[arg(long, value_name = "N", default_value_t = 200)]
    kills: u32,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match module(&options).and_then(|module| Bench::with(&module, |bench| run(bench, &options))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn module(options: &Options) -> Result<PathBuf> {
    Ok(match &options.module {
        Some(module) => module.clone(),
        None => env::current_exe()?.with_file_name("libpkcs11_atecc.so"),
    })
}

fn run(bench: &Bench<'_>, options: &Options) -> Result<()> {
    let &Options { users, signatures: count, kills, .. } = options;
    let alone = Work { threads: 1, count, seed: 0 };
    let processes: Vec<Work> = (1..=users).map(|seed| Work { threads: 1, count, seed }).collect();
    let threads = Work { threads: users, count, seed: users + 1 };

    // Before and after, since the machine has other work too.
    let before = report("a process alone", users, bench.sign(&[alone])?);
    let of_processes = report("processes", users, bench.sign(&processes)?);
    let of_threads = report("threads", users, bench.sign(&[threads])?);
    let after = report("a process alone", users, bench.sign(&[Work { seed: users + 2, ..alone }])?);
    let single = (before + after) / 2.0;
    println!(
        "against a process alone: {:.3} times for {users} processes, {:.3} times for {users} threads",
        of_processes / single,
        of_threads / single
    );
    kill(bench, kills)
}

/// Signatures a second.
fn report(name: &str, users: u32, (signatures, wall): (usize, Duration)) -> f64 {
    let rate = signatures as f64 / wall.as_secs_f64();
    let users = if name == "a process alone" { String::new() } else { format!("{users} ") };
    println!(
        "{users}{name}: {signatures} signatures in {:.1} s, {rate:.2} a second, all verified",
        wall.as_secs_f64()
    );
    rate
}

/// Kills a process that signs (kill -9), and lets another one sign: the bus is free, and the chip answers.
fn kill(bench: &Bench<'_>, times: u32) -> Result<()> {
    let mut longest = Duration::ZERO;
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..times {
        // xorshift64.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let life = Duration::from_millis(random % LONGEST_LIFE_MS);
        bench.kill(Work { threads: 1, count: 1_000, seed: round }, life)?;
        let (_, wall) = bench
            .sign(&[Work { threads: 1, count: 1, seed: times + round }])
            .map_err(|error| format!("after kill {round}: {error}"))?;
        longest = longest.max(wall);
    }
    println!(
        "{times} processes killed in mid-signature: the next signature after each verifies, the slowest took {longest:.1?}"
    );
    Ok(())
}
