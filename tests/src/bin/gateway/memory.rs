//! Memory of the agent, as smem counts it: what is shared with other processes by its part.

use std::fs;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use super::Result;
use super::client::fill;
use super::mosquitto::Broker;
use super::recorder::Recorder;
use super::stage::{Stage, wait};

/// Bytes of a message.
const BYTES: usize = 1000;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The size of the backlog, in MiB.
    #[arg(long, value_name = "N", default_value_t = 64)]
    megabytes: u64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let &Options { megabytes } = options;
    let stage = Stage::new()?;
    let mut broker = Broker::start(&stage)?;
    let recorder = Recorder::start(broker.plain)?;
    stage.configure(&format!("folder = 'outbox'\nmegabytes = {}", megabytes + 8))?;
    let agent = stage.start_agent()?;
    wait("the agent listens", || UnixStream::connect(stage.socket()).is_ok())?;
    fill(&stage.socket(), 10, BYTES, 10, || {})?;
    wait("it is connected", || recorder.count() == 10)?;
    thread::sleep(Duration::from_secs(2));
    let id = agent.id();
    println!("idle, connected          {}", Pss::of(id)?);
    broker.stop()?;
    let messages = usize::try_from(megabytes * (1 << 20))? / (BYTES + 80);
    let mut most = Pss::default();
    let mut count = 0;
    fill(&stage.socket(), messages, BYTES, 100, || {
        count += 1;
        if count % 500 == 0 {
            most = most.max(Pss::of(id).unwrap_or_default());
        }
    })?;
    println!("while {megabytes} MiB come in    {most}");
    println!("backlog of {megabytes} MiB       {}", Pss::of(id)?);
    recorder.clear();
    let mut most = Pss::default();
    broker.resume()?;
    let start = Instant::now();
    wait("the backlog arrives", || {
        most = most.max(Pss::of(id).unwrap_or_default());
        thread::sleep(Duration::from_millis(5));
        recorder.count() >= messages
    })?;
    println!(
        "while it drains          {most}, {messages} messages in {:.1} s",
        start.elapsed().as_secs_f64()
    );
    thread::sleep(Duration::from_secs(2));
    println!("idle again               {}", Pss::of(id)?);
    drop(agent);
    let file = fs::metadata(stage.path("outbox/outbox.redb"))?.len();
    println!("the file has {} KiB", file / 1024);
    Ok(())
}

/// Proportional set size, in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pss {
    pub(crate) all: u64,
    anonymous: u64,
}

impl Pss {
    /// Of a process, from /proc/PID/smaps_rollup.
    pub(crate) fn of(id: u32) -> Result<Self> {
        let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup"))?;
        let number = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
        };
        Ok(Self { all: number("Pss:"), anonymous: number("Pss_Anon:") })
    }
}

impl std::fmt::Display for Pss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mebibytes = |kibibytes: u64| kibibytes as f64 / 1024.0;
        write!(
            f,
            "PSS {:.1} MiB, of which {:.1} MiB its own memory",
            mebibytes(self.all),
            mebibytes(self.anonymous)
        )
    }
}
