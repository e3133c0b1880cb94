//! Hostile programs on the gateway's machine: what they do costs a bounded amount of memory, the link to the cloud and the
//! programs that behave go on, and new ones that behave are let in.

mod attacks;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::Result;
use super::accounts::Arrivals;
use super::client::{Client, Pace, Sent};
use super::memory::Pss;
use super::random::Random;
use super::stage::{Line, Process, Stage, free_port, wait};
use super::wire::Wire;
use attacks::{ATTACKS, Doors};

/// What the agent may take at most while it is attacked; its programs, buffers and queues at their bounds together.
const MOST_PSS: u64 = 48 * 1024;
/// How long a program that behaves may wait for an acknowledgement while others do not.
const LONGEST_GAP: Duration = Duration::from_secs(15);
/// Messages a second of that program.
const RATE: u64 = 500;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long each attack lasts.
    #[arg(long, value_name = "N", default_value_t = 5)]
    seconds: u64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let &Options { seconds } = options;
    let stage = Stage::new()?;
    let doors = Doors { socket: stage.socket(), port: free_port()?, status: free_port()? };
    let Doors { port, status, .. } = doors;
    stage.configure(&format!("folder = 'outbox'\nmegabytes = 8\n[status]\nlisten = '127.0.0.1:{status}'"))?;
    stage.listen_on(port)?;
    let _double = stage.start_double()?;
    let agent = stage.start_agent()?;
    let pace = Arc::new(Pace::default());
    let client = Client {
        number: 0,
        messages: u64::MAX,
        socket: stage.socket(),
        pace: pace.clone(),
        random: Random::new(1),
    };
    pace.allowed.store(10, Ordering::SeqCst);
    let steady = thread::spawn(move || client.run());
    wait("the agent is connected", || pace.accepted.load(Ordering::SeqCst) >= 10)?;
    wait("the server has something", || links(&stage) == 1)?;
    println!("before: {}", Pss::of(agent.id())?);
    for (name, attack) in ATTACKS {
        let outcome = one(&doors, &agent, &pace, seconds, attack)?;
        println!("{name:<60} {outcome}");
    }
    thread::sleep(Duration::from_secs(2));
    println!("after: {}", Pss::of(agent.id())?);
    pace.stop.store(true, Ordering::SeqCst);
    let accepted = steady.join().map_err(|_| "the steady client panicked")?;
    let mut missing = Vec::new();
    let arrived = wait("what was accepted arrives", || {
        missing = missing_at(&stage, &accepted);
        missing.is_empty()
    });
    let (links, cut) = (links(&stage), pace.cut.load(Ordering::SeqCst));
    println!(
        "the program that behaves: {} accepted, {} lost; cut {cut} times; links to the cloud: {links}",
        accepted.len(),
        missing.len()
    );
    arrived?;
    if links != 1 {
        return Err("the link to the cloud was cut".into());
    }
    if cut != 0 {
        return Err("a program that behaves was cut".into());
    }
    Ok(())
}

/// Attacks for some seconds.
fn one(
    doors: &Doors,
    agent: &Process,
    pace: &Arc<Pace>,
    seconds: u64,
    attack: attacks::Attack,
) -> Result<String> {
    let end = Instant::now() + Duration::from_secs(seconds);
    let attacker = {
        let doors = doors.clone();
        thread::spawn(move || attack.run(&doors, end))
    };
    let (mut most, mut gap) = (Pss::default(), Duration::ZERO);
    let (mut let_in, mut turned_away) = (0, 0);
    let mut progress = (pace.accepted.load(Ordering::SeqCst), Instant::now());
    let before = progress.0;
    let mut visit = Instant::now();
    while Instant::now() < end {
        pace.allowed.fetch_add(RATE / 100, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(10));
        most = most.max(Pss::of(agent.id())?);
        let accepted = pace.accepted.load(Ordering::SeqCst);
        if accepted > progress.0 {
            progress = (accepted, Instant::now());
        }
        gap = gap.max(progress.1.elapsed());
        if visit.elapsed() > Duration::from_millis(300) {
            visit = Instant::now();
            if visits(&doors.socket) { let_in += 1 } else { turned_away += 1 }
        }
    }
    let did = attacker.join().map_err(|_| "an attacker panicked")?;
    if most.all > MOST_PSS {
        return Err(format!("the agent took {most}").into());
    }
    if gap > LONGEST_GAP {
        return Err(format!("a program that behaves waited {gap:?}").into());
    }
    if turned_away > 0 {
        return Err(format!("{turned_away} of {} new clients were turned away", turned_away + let_in).into());
    }
    Ok(format!(
        "{did:>7}; at most {:.1} MiB; steady {}/s, waits at most {:.2} s; new clients {let_in} of {}",
        most.all as f64 / 1024.0,
        (progress.0 - before) / seconds.max(1),
        gap.as_secs_f64(),
        let_in + turned_away
    ))
}

/// Whether a new client that behaves is let in, and gets its message acknowledged.
fn visits(socket: &std::path::Path) -> bool {
    let visit = || -> std::io::Result<bool> {
        let stream = std::os::unix::net::UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(LONGEST_GAP))?;
        let mut wire = Wire::new(stream);
        wire.connect("visitor", true)?;
        wire.put_publish(1, "out/visitor", b"0 0 0 a visit".to_vec())?;
        wire.flush()?;
        Ok(matches!(wire.next()?, rumqttc::Packet::PubAck(_)))
    };
    visit().unwrap_or(false)
}

/// Connections of the agent to the cloud so far.
fn links(stage: &Stage) -> usize {
    stage.double_log().map_or(0, |log| log.iter().filter(|line| **line == Line::Connected).count())
}

fn missing_at(stage: &Stage, accepted: &[Sent]) -> Vec<Sent> {
    let mut arrivals = Arrivals::default();
    for line in stage.double_log().unwrap_or_default() {
        if let Line::Message { topic, payload, .. } = line
            && topic.starts_with("out/0/")
            && let Some(sent) = Sent::parse(&payload)
        {
            arrivals.add(sent);
        }
    }
    arrivals.missing(accepted).into_iter().copied().collect()
}
