//! How long the agent takes from the start of its process to its first acknowledged message, with a key in a file and
//! with one in an emulated chip that takes a chip's time on a bus of 100 kHz.

use std::fs;
use std::time::{Duration, Instant};

use atecc_emulator::socket::Server;
use atecc_emulator::{Bus, Chip, Clock, Figures, Meter, Pace, provision};
use atecc_token::Token;

use super::Result;
use super::stage::{Line, Process, Stage, wait};
use super::throughput::median;

/// What a chip takes from its wake pulse to the first transfer (tWHI, section 8.3 of the data sheet), in milliseconds.
const WAKE: f64 = 1.5;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How often each start is measured.
    #[arg(long, value_name = "N", default_value_t = 31)]
    starts: usize,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let &Options { starts } = options;
    println!(
        "from the start of the process until the broker, which writes to disk first, has the first message; medians of {starts}"
    );
    let stage = Stage::new()?;
    stage.configure("folder = 'outbox'")?;
    {
        let _double = stage.start_double()?;
        let times = (0..starts).map(|_| start(&stage)).collect::<Result<Vec<_>>>()?;
        println!("key in a file            {:.0} ms", median(times));
    }
    with_chip(&stage, starts)
}

/// The same with the key in an emulated chip.
fn with_chip(stage: &Stage, starts: usize) -> Result<()> {
    let socket = stage.path("bus.sock");
    let server = Server::bind(&socket)?;
    let bus = Bus::new(Chip::new(provision::tng_tls()?, Pace::Typical), Clock::real(), Bus::STANDARD_HERTZ);
    let meter = bus.meter();
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| server.run(bus));
        let result = (|| {
            let device = format!("emulator:unix:{}", socket.display());
            let token = Token::open_uncached(&device.parse()?)?;
            fs::write(stage.path("gateways.pem"), token.certificates()?.signer_pem())?;
            stage.configure_key(&format!("device = '{device}'"), "folder = 'outbox'")?;
            let _double = stage.start_double()?;
            let measure = |is_known: bool| -> Result<()> {
                let mut all = Vec::new();
                for _ in 0..starts {
                    if !is_known {
                        // What the start before has read.
                        let _ = fs::remove_dir_all(stage.path("cache"));
                    }
                    all.push(Start::measure(stage, &meter)?);
                }
                let name = if is_known { "chip that it knows" } else { "chip seen first" };
                println!("{name:<25}{}", Start::middle(&all));
                Ok(())
            };
            measure(false)?;
            measure(true)
        })();
        server.stop();
        // A server that failed has made the agent fail too, which says more.
        let _ = serving.join();
        result
    })
}

/// One start with a chip: how long it took, and what of that was the chip's and the bus's.
struct Start {
    wall: f64,
    chip: f64,
    bus: f64,
    wakes: f64,
    commands: f64,
}

impl Start {
    fn measure(stage: &Stage, meter: &Meter) -> Result<Self> {
        let before = meter.figures();
        let wall = start(stage)?;
        Ok(Self::between(&before, &meter.figures(), wall))
    }

    fn between(before: &Figures, after: &Figures, wall: f64) -> Self {
        // Polls of a busy chip are the chip's time already.
        let polls = f64::from(u32::try_from(after.refused - before.refused).unwrap_or(u32::MAX));
        let bus = milliseconds(after.bus_time - before.bus_time)
            - polls * 11_000.0 / f64::from(Bus::STANDARD_HERTZ);
        let wakes = f64::from(u32::try_from(after.wakes - before.wakes).unwrap_or(u32::MAX));
        Self {
            wall,
            chip: milliseconds(after.chip_time - before.chip_time) + wakes * WAKE,
            bus,
            wakes,
            commands: f64::from(u32::try_from(after.commands - before.commands).unwrap_or(u32::MAX)),
        }
    }

    /// The middle of each figure, and of what the start took beside chip and bus.
    fn middle(all: &[Self]) -> String {
        let middle = |figure: fn(&Self) -> f64| median(all.iter().map(figure).collect());
        format!(
            "{:.0} ms: chip {:.0}, bus {:.0}, everything else {:.0}; {:.0} wakes, {:.0} commands",
            middle(|start| start.wall),
            middle(|start| start.chip),
            middle(|start| start.bus),
            middle(|start| start.wall - start.chip - start.bus),
            middle(|start| start.wakes),
            middle(|start| start.commands),
        )
    }
}

/// Starts the agent and ends it when its first message is acknowledged; milliseconds.
fn start(stage: &Stage) -> Result<f64> {
    let is_telemetry =
        |line: &Line| matches!(line, Line::Message { topic, .. } if topic.ends_with("/telemetry"));
    let count = || stage.double_log().map_or(0, |log| log.iter().filter(|line| is_telemetry(line)).count());
    // What the one before was not told of would be sent again, and count as the first.
    match fs::remove_dir_all(stage.path("outbox")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let before = count();
    let start = Instant::now();
    let agent =
        Process::start(stage.agent()?.env("XDG_CACHE_HOME", stage.path("cache")), &stage.path("agent.log"))?;
    wait("the first message arrives", || count() > before)?;
    let time = milliseconds(start.elapsed());
    drop(agent);
    Ok(time)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
