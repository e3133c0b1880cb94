//! A manifest of made-up chips, as long as you like: `manifest-entries FOLDER [ENTRIES]`.
//!
//! FOLDER gets `manifest.json` (100,000 entries if you do not say), `log_signer.pem` and `root.pem`, the test CA of
//! the emulated chip. The keys are points of the curve that nobody has the private key to, and all signing keys are
//! public: nothing in here is worth anything but the time it takes to verify.

mod factory;

use std::{
    error::Error,
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

use atecc_emulator::authority::EMULATOR;
use clap::Parser;
use factory::Factory;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// So many entries are made by a thread at a time.
const BATCH: usize = 500;

/// A manifest of made-up chips, as long as you like. All keys in it are worthless.
#[derive(Debug, Parser)]
#[command(name = "manifest-entries")]
struct Arguments {
    /// Gets `manifest.json`, `log_signer.pem` and `root.pem`, the test CA of the emulated chip.
    folder: PathBuf,
    /// How many chips.
    #[arg(default_value_t = 100_000)]
    entries: usize,
}

fn main() -> ExitCode {
    let Arguments { folder, entries } = Arguments::parse();
    match write(&folder, entries) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("manifest-entries: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path, entries: usize) -> Result<()> {
    let factory = Factory::new()?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("log_signer.pem"), factory::pem(factory.log_signer()))?;
    fs::write(folder.join("root.pem"), factory::pem(EMULATOR.root_certificate))?;
    let mut file = BufWriter::new(File::create(folder.join("manifest.json"))?);
    file.write_all(b"[")?;
    let threads = thread::available_parallelism()?.get();
    for first in (0..entries).step_by(BATCH * threads) {
        let texts = thread::scope(|scope| {
            let make = |thread: usize| {
                let start = first + thread * BATCH;
                let factory = &factory;
                scope.spawn(move || factory.entries(start..entries.min(start + BATCH)))
            };
            let running: Vec<_> = (0..threads).map(make).collect();
            running
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| Err("a thread died".into())))
                .collect::<Result<Vec<_>>>()
        })?;
        for (index, text) in texts.into_iter().flatten().enumerate() {
            file.write_all(if first + index == 0 { b"\n  " } else { b",\n  " })?;
            file.write_all(text.as_bytes())?;
        }
    }
    file.write_all(b"\n]\n")?;
    Ok(file.flush()?)
}
