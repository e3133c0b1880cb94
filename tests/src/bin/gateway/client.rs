//! A program on the gateway's machine that keeps each message until its PUBACK, and sends it again until it comes.

use std::collections::VecDeque;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rumqttc::Packet;

use super::random::Random;
use super::wire::Wire;

/// Messages without acknowledgement at once.
pub(crate) const WINDOW: usize = 25;
/// Topics of one client.
const TOPICS: u64 = 4;
/// How long the agent may take for a CONNACK.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the campaign tells its clients, and they tell it.
#[derive(Default)]
pub(crate) struct Pace {
    /// Messages that each client may send so far.
    pub(crate) allowed: AtomicU64,
    /// Acknowledged to all of them.
    pub(crate) accepted: AtomicU64,
    /// Connections that the agent cut while it lived on.
    pub(crate) cut: AtomicU64,
    /// Whether the agent is alive, as far as the campaign knows.
    pub(crate) alive: AtomicBool,
    /// They shall stop wherever they are.
    pub(crate) stop: AtomicBool,
}

/// One message, as one attempt sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sent {
    pub(crate) client: u64,
    pub(crate) sequence: u64,
    pub(crate) attempt: u64,
}

impl Sent {
    pub(crate) fn topic(self) -> String {
        format!("out/{}/{}", self.client, self.sequence % TOPICS)
    }

    /// With some bytes behind it, most times few.
    fn payload(self, random: &mut Random) -> Vec<u8> {
        let Self { client, sequence, attempt } = self;
        let filler = if random.below(50) == 0 { random.below(8000) } else { random.below(150) };
        let filler = "x".repeat(usize::try_from(filler).unwrap_or(0));
        format!("{client} {sequence} {attempt} {filler}").into_bytes()
    }

    /// Out of a payload. `None`: it is none of theirs.
    pub(crate) fn parse(payload: &str) -> Option<Self> {
        let mut words = payload.split(' ').map(str::parse);
        let mut next = || words.next()?.ok();
        Some(Self { client: next()?, sequence: next()?, attempt: next()? })
    }
}

pub(crate) struct Client {
    pub(crate) number: u64,
    pub(crate) messages: u64,
    pub(crate) socket: PathBuf,
    pub(crate) pace: Arc<Pace>,
    pub(crate) random: Random,
}

impl Client {
    /// Sends all of its messages. Gives which attempts were acknowledged.
    pub(crate) fn run(mut self) -> Vec<Sent> {
        let mut accepted = Vec::new();
        // Those without acknowledgement, in their order, and how often each was sent.
        let mut waiting: VecDeque<Sent> = VecDeque::new();
        let mut next = 0;
        while (next < self.messages || !waiting.is_empty()) && !self.pace.stop.load(Ordering::SeqCst) {
            let was_alive = self.pace.alive.load(Ordering::SeqCst);
            // It ends with an error each time the agent is killed.
            let connected = self.converse(&mut waiting, &mut next, &mut accepted).is_err_and(|error| error.1);
            if connected && was_alive && self.pace.alive.load(Ordering::SeqCst) {
                self.pace.cut.fetch_add(1, Ordering::SeqCst);
            }
            for sent in &mut waiting {
                sent.attempt += 1;
            }
            thread::sleep(Duration::from_millis(3));
        }
        accepted
    }

    /// One connection. The flag of the error: whether there was one.
    fn converse(
        &mut self,
        waiting: &mut VecDeque<Sent>,
        next: &mut u64,
        accepted: &mut Vec<Sent>,
    ) -> Result<(), (io::Error, bool)> {
        let mut wire = self.connect().map_err(|error| (error, false))?;
        let mut unsent: VecDeque<Sent> = waiting.iter().copied().collect();
        let mut turn = || -> io::Result<bool> {
            while *next < self.messages.min(self.pace.allowed.load(Ordering::SeqCst))
                && waiting.len() < WINDOW
            {
                let sent = Sent { client: self.number, sequence: *next, attempt: 0 };
                waiting.push_back(sent);
                unsent.push_back(sent);
                *next += 1;
            }
            while let Some(sent) = unsent.pop_front() {
                wire.put_publish(id(sent.sequence), &sent.topic(), sent.payload(&mut self.random))?;
            }
            wire.flush()?;
            wire.receive()?;
            while let Some(packet) = wire.ready()? {
                let Packet::PubAck(puback) = packet else { continue };
                let place = waiting.iter().position(|sent| id(sent.sequence) == puback.pkid);
                if let Some(sent) = place.and_then(|place| waiting.remove(place)) {
                    accepted.push(sent);
                    self.pace.accepted.fetch_add(1, Ordering::SeqCst);
                }
            }
            let done = *next >= self.messages && waiting.is_empty();
            Ok(done || self.pace.stop.load(Ordering::SeqCst))
        };
        loop {
            match turn() {
                Ok(false) => {}
                Ok(true) => return Ok(()),
                Err(error) => return Err((error, true)),
            }
        }
    }

    fn connect(&self) -> io::Result<Wire<UnixStream>> {
        let stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut wire = Wire::new(stream.try_clone()?);
        wire.connect(&format!("client-{}", self.number), true)?;
        stream.set_read_timeout(Some(Duration::from_millis(5)))?;
        Ok(wire)
    }
}

/// The packet id of a message: as long as it waits no other has it.
fn id(sequence: u64) -> u16 {
    u16::try_from(sequence % 60_000).unwrap_or(0) + 1
}

/// Publishes `messages` of `bytes` each as fast as they are acknowledged, with at most `window` on their way, and calls
/// `acknowledged` for each.
pub(crate) fn fill(
    socket: &std::path::Path,
    messages: usize,
    bytes: usize,
    window: usize,
    mut acknowledged: impl FnMut(),
) -> io::Result<()> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(super::LIMIT))?;
    let mut wire = Wire::new(stream);
    wire.connect("filler", true)?;
    let (mut sent, mut done) = (0, 0);
    while done < messages {
        while sent < messages && sent - done < window {
            let mut payload = format!("{sent} ").into_bytes();
            payload.resize(bytes.max(payload.len()), b'x');
            wire.put_publish(id(u64::try_from(sent).unwrap_or(0)), "out/filler", payload)?;
            sent += 1;
            // Both sides at work at once.
            if wire.waiting() > 16 * 1024 {
                break;
            }
        }
        wire.flush()?;
        wire.receive()?;
        while let Some(packet) = wire.ready()? {
            if matches!(packet, Packet::PubAck(_)) {
                done += 1;
                acknowledged();
            }
        }
    }
    Ok(())
}
