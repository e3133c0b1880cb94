//! What each way to commit costs: `sync` and `group_milliseconds` of `[outbox]`.

use std::fs::File;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Result;
use super::client::fill;
use super::stage::{Stage, wait};

/// What is compared, with the lines of `[outbox]` for it.
const WAYS: [(&str, &str); 4] = [
    ("each", "sync = 'each'"),
    ("group", "sync = 'group'"),
    ("group, 2 ms", "sync = 'group'\ngroup_milliseconds = 2"),
    ("group, 10 ms", "sync = 'group'\ngroup_milliseconds = 10"),
];
/// Bytes of a message.
const BYTES: usize = 100;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Messages one at a time; ten times as many together.
    #[arg(long, value_name = "N", default_value_t = 500)]
    messages: usize,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let &Options { messages } = options;
    let stage = Stage::new()?;
    println!(
        "fdatasync of a file in this folder that grows by 4 KiB: {:.2} ms",
        disk(stage.folder())?.as_secs_f64() * 1000.0
    );
    println!("{messages} messages of {BYTES} bytes, no server");
    println!("{:<14} {:>22} {:>24}", "sync", "one at a time", "100 on their way");
    for (name, lines) in WAYS {
        let folder = name.replace([' ', ','], "");
        stage.configure(&format!("folder = 'outbox-{folder}'\n{lines}"))?;
        let _agent = stage.start_agent()?;
        wait("the agent listens", || UnixStream::connect(stage.socket()).is_ok())?;
        let mut cells = Vec::new();
        for window in [1, 100] {
            let messages = if window == 1 { messages } else { messages * 10 };
            let start = Instant::now();
            fill(&stage.socket(), messages, BYTES, window, || {})?;
            let took = start.elapsed().as_secs_f64();
            let rate = messages as f64 / took;
            cells.push(format!("{:.2} ms, {rate:.0}/s", took * 1000.0 * window as f64 / messages as f64));
        }
        println!("{name:<14} {:>22} {:>24}", cells[0], cells[1]);
    }
    println!("(the time is from PUBLISH to PUBACK, which is after the commit in all of them)");
    Ok(())
}

/// The median of some writes to disk.
fn disk(folder: &Path) -> Result<Duration> {
    let mut file = File::create(folder.join("probe"))?;
    let mut times = Vec::new();
    for _ in 0..51 {
        file.write_all(&[7; 4096])?;
        let start = Instant::now();
        file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2])
}
