//! The agent is killed again and again while messages flow, and so is the broker; the disk is full at times.

mod options;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::accounts::{Arrivals, IN_FLIGHT};
use super::client::{Client, Pace, Sent, WINDOW};
use super::disk::{Tmpfs, limited};
use super::mosquitto::Broker;
use super::random::Random;
use super::recorder::Recorder;
use super::stage::{Line, Process, Stage};
use super::{LIMIT, Result};
pub(crate) use options::Options;
use options::{BrokerKind, Disk, name};

/// How long such a life takes at least: the database is tried again every second.
const FULL_DISK_LIFE: Duration = Duration::from_millis(1500);
/// How long a life may take that ends after a number of messages.
const LONGEST_LIFE: Duration = Duration::from_secs(5);
/// How long the rest may take to arrive when the last agent is left alone.
const REST_LIMIT: Duration = Duration::from_secs(300);

/// The broker of the cloud.
enum Cloud {
    Double(Option<Process>),
    Mosquitto(Broker, Arc<Recorder>),
}

/// What happens in a life of the agent besides its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Plain,
    WithBroker,
    OnFullDisk,
}

/// What the campaign has done so far.
#[derive(Default)]
struct Done {
    kills: u64,
    broker_kills: u64,
    full_disks: u64,
    /// Times that the agent told of a disk that was full.
    refusals: usize,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let &Options { kills, broker_kills, full_disks, messages, clients, broker, disk, seed } = options;
    let seed = seed.unwrap_or_else(Random::seed);
    println!(
        "{messages} messages of {clients} clients, {kills} kills of the agent, {broker_kills} of the broker ({}), {full_disks} full disks, outbox in a {}, --seed {seed}",
        name(broker),
        name(disk),
    );
    let start = Instant::now();
    let mut random = Random::new(seed);
    let stage = Stage::new()?;
    stage.configure("folder = 'outbox'\nmegabytes = 8")?;
    let tmpfs = match disk {
        Disk::Tmpfs => Some(Tmpfs::mount(&stage.path("outbox"), 24)?),
        Disk::Folder => None,
    };
    let mut cloud = Cloud::start(&stage, broker)?;
    let pace = Arc::new(Pace::default());
    let each = messages / clients;
    let threads: Vec<JoinHandle<Vec<Sent>>> = (0..clients)
        .map(|number| {
            let (pace, random) = (pace.clone(), Random::new(random.next()));
            let client = Client { number, messages: each, socket: stage.socket(), pace, random };
            thread::spawn(move || client.run())
        })
        .collect();

    let mut campaign = Campaign { stage: &stage, tmpfs, pace: &pace, random, done: Done::default() };
    let (mut broker_lives, mut full_lives) = (broker_kills, full_disks);
    for kill in 0..kills {
        pace.allowed.store(each * (kill + 1) / (kills + 1), Ordering::SeqCst);
        // Chance chooses in which lives the broker is killed, and in which the disk is full.
        let (left, choice) = (kills - kill, campaign.random.below(kills - kill));
        let life = if choice < broker_lives {
            broker_lives -= 1;
            Life::WithBroker
        } else if choice < (broker_lives + full_lives).min(left) {
            full_lives -= 1;
            Life::OnFullDisk
        } else {
            Life::Plain
        };
        campaign.life(&mut cloud, life)?;
    }
    pace.allowed.store(each, Ordering::SeqCst);
    let mut done = campaign.done;
    let agent = stage.start_agent()?;
    pace.alive.store(true, Ordering::SeqCst);
    let result = finish(&stage, &cloud, &pace, each * clients);
    pace.stop.store(result.is_err(), Ordering::SeqCst);
    let accepted: Vec<Sent> = threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect();
    drop(agent);
    let log = std::fs::read_to_string(stage.path("agent.log"))?;
    done.refusals = log.lines().filter(|line| line.contains("the disk of the outbox is full")).count();
    println!("{:.0} s", start.elapsed().as_secs_f64());
    judge(&stage, &cloud, &done, &pace, &accepted, usize::try_from(each * clients)?)?;
    result
}

struct Campaign<'a> {
    stage: &'a Stage,
    tmpfs: Option<Tmpfs>,
    pace: &'a Pace,
    random: Random,
    done: Done,
}

impl Campaign<'_> {
    /// The agent lives, and is killed.
    fn life(&mut self, cloud: &mut Cloud, life: Life) -> Result<()> {
        let full = life == Life::OnFullDisk;
        let mut agent = self.start(full)?;
        self.pace.alive.store(true, Ordering::SeqCst);
        if full {
            // Without a server nothing leaves, so that the room that is left is used up.
            cloud.pause()?;
            thread::sleep(FULL_DISK_LIFE);
            cloud.resume()?;
            self.done.full_disks += 1;
        } else if life == Life::WithBroker {
            thread::sleep(self.random.time(300));
            cloud.stop()?;
            thread::sleep(self.random.time(300));
            cloud.start_again(self.stage)?;
            thread::sleep(self.random.time(500));
            self.done.broker_kills += 1;
        } else if self.random.below(2) == 0 {
            // At any moment, that of its start included.
            thread::sleep(self.random.time(250));
        } else {
            // In the middle of the flow.
            let until = self.pace.accepted.load(Ordering::SeqCst) + self.random.below(300);
            let start = Instant::now();
            while self.pace.accepted.load(Ordering::SeqCst) < until && start.elapsed() < LONGEST_LIFE {
                thread::sleep(Duration::from_micros(200));
                if self.random.below(2000) == 0 {
                    break;
                }
            }
        }
        self.pace.alive.store(false, Ordering::SeqCst);
        if agent.has_ended() {
            let log = std::fs::read_to_string(self.stage.path("agent.log")).unwrap_or_default();
            return Err(
                format!("the agent ended by itself: {}", log.lines().last().unwrap_or_default()).into()
            );
        }
        agent.kill();
        self.done.kills += 1;
        if full && let Some(tmpfs) = &self.tmpfs {
            tmpfs.release()?;
        }
        Ok(())
    }

    /// Starts the agent, on a disk that is full or about to be if `full`.
    fn start(&mut self, full: bool) -> Result<Process> {
        let said = self.stage.path("agent.log");
        match &self.tmpfs {
            Some(tmpfs) if full => tmpfs.fill()?,
            None if full => {
                let file = self.stage.path("outbox/outbox.redb");
                let length = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
                // No room at all, not even to open it, or none to grow.
                let bytes = if self.done.full_disks.is_multiple_of(2) { 64 * 1024 } else { length };
                return Process::start(&mut limited(&self.stage.agent()?, bytes), &said);
            }
            _ => {}
        }
        Process::start(&mut self.stage.agent()?, &said)
    }
}

impl Cloud {
    fn start(stage: &Stage, kind: BrokerKind) -> Result<Self> {
        match kind {
            BrokerKind::Double => Ok(Self::Double(Some(stage.start_double()?))),
            BrokerKind::Mosquitto => {
                let broker = Broker::start(stage)?;
                let recorder = Recorder::start(broker.plain)?;
                Ok(Self::Mosquitto(broker, recorder))
            }
        }
    }

    /// The double is killed, mosquitto ends in good order: it acknowledges what is only in its memory.
    fn stop(&mut self) -> Result<()> {
        match self {
            Self::Double(process) => {
                process.as_mut().map(Process::kill);
                Ok(())
            }
            Self::Mosquitto(broker, _) => broker.stop(),
        }
    }

    fn start_again(&mut self, stage: &Stage) -> Result<()> {
        match self {
            Self::Double(process) => *process = Some(stage.start_double()?),
            Self::Mosquitto(broker, _) => broker.resume()?,
        }
        Ok(())
    }

    fn pause(&self) -> Result<()> {
        self.signal("STOP")
    }

    fn resume(&self) -> Result<()> {
        self.signal("CONT")
    }

    fn signal(&self, name: &str) -> Result<()> {
        match self {
            Self::Double(Some(process)) => process.signal(name),
            Self::Double(None) => Ok(()),
            Self::Mosquitto(broker, _) => broker.signal(name),
        }
    }

    /// Messages that arrived, repetitions included.
    fn arrived(&self, stage: &Stage) -> Result<usize> {
        match self {
            Self::Double(_) => Ok(stage.double_log()?.iter().filter(|line| is_ours(line)).count()),
            Self::Mosquitto(_, recorder) => Ok(recorder.count()),
        }
    }

    /// All of them in their order, each with the connection that brought it, without what the broker itself had repeated.
    fn arrivals(&self, stage: &Stage) -> Result<Vec<(String, Sent)>> {
        let mut arrivals = Vec::new();
        match self {
            Self::Double(_) => {
                for line in stage.double_log()? {
                    match line {
                        Line::Message { connection, payload, topic } if topic.starts_with("out/") => {
                            arrivals.push((connection, parse(&payload)?));
                        }
                        Line::Violation(violation) => return Err(violation.into()),
                        _ => {}
                    }
                }
            }
            Self::Mosquitto(_, recorder) => {
                let mut first = HashSet::new();
                for (payload, marked) in recorder.messages() {
                    // What is marked counts if it is the only one: the first may not have come.
                    if first.insert(payload.clone()) || !marked {
                        arrivals.push((String::new(), parse(&payload)?));
                    }
                }
            }
        }
        Ok(arrivals)
    }
}

fn is_ours(line: &Line) -> bool {
    matches!(line, Line::Message { topic, .. } if topic.starts_with("out/"))
}

fn parse(payload: &str) -> Result<Sent> {
    Sent::parse(payload).ok_or_else(|| format!("this is none of the messages: {payload:.80}").into())
}

/// Waits until all has been accepted, and has arrived.
fn finish(stage: &Stage, cloud: &Cloud, pace: &Pace, messages: u64) -> Result<()> {
    let start = Instant::now();
    let mut progress = (0, Instant::now());
    loop {
        let (accepted, arrived) = (pace.accepted.load(Ordering::SeqCst), cloud.arrived(stage)?);
        if accepted >= messages && arrived >= usize::try_from(messages)? {
            let mut arrivals = Arrivals::default();
            for (_, sent) in cloud.arrivals(stage)? {
                arrivals.add(sent);
            }
            if arrivals.messages() >= usize::try_from(messages)? {
                return Ok(());
            }
        }
        if arrived > progress.0 {
            progress = (arrived, Instant::now());
        }
        if progress.1.elapsed() > LIMIT || start.elapsed() > REST_LIMIT {
            return Err(format!("nothing comes any more: {accepted} accepted, {arrived} arrived").into());
        }
        thread::sleep(Duration::from_millis(200));
    }
}

fn judge(
    stage: &Stage,
    cloud: &Cloud,
    done: &Done,
    pace: &Pace,
    accepted: &[Sent],
    messages: usize,
) -> Result<()> {
    let Done { kills, broker_kills, full_disks, refusals } = done;
    let mut arrivals = Arrivals::default();
    // A connection repeats what the end of the one before it left without acknowledgement.
    let mut repeated: HashMap<String, usize> = HashMap::new();
    for (connection, sent) in cloud.arrivals(stage)? {
        if arrivals.add(sent) {
            *repeated.entry(connection).or_default() += 1;
        }
    }
    let most = repeated.into_values().max().unwrap_or(0);
    let missing = arrivals.missing(accepted);
    let ends = usize::try_from(kills + broker_kills)?;
    let cut = pace.cut.load(Ordering::SeqCst);
    println!(
        "agent killed {kills} times, broker {broker_kills} times; disk full {full_disks} times, for which clients were cut {cut} times"
    );
    println!(
        "accepted {}, of which lost {}; arrived {} different messages of {messages}",
        accepted.len(),
        missing.len(),
        arrivals.messages()
    );
    let double = matches!(cloud, Cloud::Double(_));
    let each = arrivals.repeated() as f64 / ends.max(1) as f64;
    let at_most = if double { format!(", at most {most} after one") } else { String::new() };
    println!(
        "sent again by the agent {} ({each:.1} for each end of agent or broker{at_most}; allowed {IN_FLIGHT})",
        arrivals.repeated()
    );
    println!(
        "sent again by clients, whose acknowledgement was lost: {} (they have {WINDOW} each on the way)",
        arrivals.sent_twice()
    );
    println!("out of the order of their topic: {}", arrivals.out_of_order().len());
    if let Some(first) = missing.first() {
        return Err(format!("{} accepted messages are lost, the first is {first:?}", missing.len()).into());
    }
    if arrivals.repeated() > IN_FLIGHT * ends || (double && most > IN_FLIGHT) {
        return Err("more was sent again than may be on the way".into());
    }
    if double && let Some(first) = arrivals.out_of_order().first() {
        return Err(format!("a message came after a newer one of its topic: {first:?}").into());
    }
    if *full_disks > 0 && *refusals == 0 {
        return Err("the disk was never so full that a message was refused".into());
    }
    Ok(())
}
