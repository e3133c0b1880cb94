//! Memory of the agent, as smem counts it: what is shared with other processes by its part. And how fast it starts.

use std::fs;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use super::client::fill;
use super::mosquitto::Broker;
use super::recorder::Recorder;
use super::stage::{GATEWAY, Line, Stage, wait};
use super::throughput::median;
use super::{Options, Result};

/// Bytes of a message.
const BYTES: usize = 1000;
/// How often the start is measured.
const STARTS: usize = 11;

pub(crate) fn run(options: &Options) -> Result<()> {
    let megabytes = options.number("megabytes", 64)?;
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
    drop(broker);
    starts(&stage)
}

/// From the start of the process until a server that writes to disk has the first message and acknowledges it.
fn starts(stage: &Stage) -> Result<()> {
    let _double = stage.start_double()?;
    let telemetry = format!("{GATEWAY}/telemetry");
    let is_telemetry = |line: &Line| matches!(line, Line::Message { topic, .. } if *topic == telemetry);
    let count = || stage.double_log().map_or(0, |log| log.iter().filter(|line| is_telemetry(line)).count());
    let mut times = Vec::new();
    for _ in 0..STARTS {
        // What the one before was not told of would be sent again, and count as the first.
        fs::remove_dir_all(stage.path("outbox"))?;
        let before = count();
        let start = Instant::now();
        let agent = stage.start_agent()?;
        wait("the first message arrives", || count() > before)?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        drop(agent);
        thread::sleep(Duration::from_millis(50));
    }
    println!("start to first PUBACK    {:.0} ms (median of {STARTS}, key in a file)", median(times));
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
