//! The far end, with a gate and a chip that are watched.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use atecc::{
    Responses, Transport, Wanted,
    i2c::I2cTransport,
    kit::MAX_REPLY,
    link::{About, Asked, Attendant, Decision, Fault, Gate, Origin, Server, Stream},
    packet::{Packet, Response},
};
use atecc_emulator::{Bus, Clock};

use super::{Terminal, Weather, longest_poll};
use crate::link::middle::BOOT;

/// The chip's time for a command and that of the line, with room: nobody is asked for a touch here.
pub(super) const LONGEST_POLL: Duration = Duration::from_secs(2);
/// How many answers and digests back a late answer may come from.
const KEPT: usize = 256;
const NONCE: u8 = 0x16;
const SIGN: u8 = 0x41;

/// What both ends know of each other, for the judgement alone.
#[derive(Default)]
pub(super) struct Ledger {
    /// The commands that the host has sent lately.
    sent: Mutex<VecDeque<Vec<u8>>>,
    /// What the chip has answered lately.
    answers: Mutex<VecDeque<Vec<u8>>>,
    pub(super) refused: AtomicU64,
    pub(super) changed: AtomicU64,
}

impl Ledger {
    pub(super) fn note_sent(&self, packet: &Packet) {
        keep(&self.sent, packet.as_bytes());
    }

    fn was_sent(&self, packet: &Packet) -> bool {
        locked(&self.sent).iter().any(|sent| sent == packet.as_bytes())
    }

    /// Whether the chip gave this answer lately.
    pub(super) fn was_answered(&self, data: &[u8]) -> bool {
        locked(&self.answers).iter().any(|answer| answer == data)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep(list: &Mutex<VecDeque<Vec<u8>>>, bytes: &[u8]) {
    let mut list = locked(list);
    if list.len() == KEPT {
        list.pop_front();
    }
    list.push_back(bytes.to_vec());
}

/// Whether the policy of this far end lets `packet` pass: what reads, and signatures.
fn is_allowed(packet: &Packet) -> bool {
    matches!((packet.opcode(), packet.param1()), (0x02 | NONCE | 0x1b | 0x30 | SIGN, _) | (0x40, 0x00))
}

struct Policy<'a>(&'a Ledger);

impl Gate for Policy<'_> {
    fn decide(&mut self, asked: &Asked<'_>) -> Decision {
        match asked.packets.iter().find(|packet| !is_allowed(packet)) {
            Some(packet) => {
                self.0.refused.fetch_add(1, Ordering::Relaxed);
                Decision::Refuse(Fault::Refused { opcode: packet.opcode() })
            }
            None if asked.origin == Origin::Kit => Decision::Allow,
            None => Decision::Refuse(Fault::Unsupported),
        }
    }
}

/// The chip, and what must not reach it.
struct Watched<'a> {
    chip: I2cTransport<Bus, Clock>,
    ledger: &'a Ledger,
    wrong: Option<String>,
}

impl Transport for Watched<'_> {
    type Error = <I2cTransport<Bus, Clock> as Transport>::Error;

    fn transact_attended(
        &mut self,
        commands: &[Packet],
        wanted: Wanted,
        responses: &mut Responses,
        attendant: &mut dyn Attendant,
    ) -> Result<usize, Self::Error> {
        if let Some(packet) = commands.iter().find(|packet| !is_allowed(packet)) {
            self.wrong = Some(format!("{:02x?} reached the chip", packet.as_bytes()));
        }
        for packet in commands.iter().filter(|packet| !self.ledger.was_sent(packet)) {
            self.ledger.changed.fetch_add(1, Ordering::Relaxed);
            if packet.opcode() == NONCE && commands.iter().any(|packet| packet.opcode() == SIGN) {
                self.wrong = Some(format!("{:02x?} was signed, which nobody sent", packet.data()));
            }
        }
        let result = self.chip.transact_attended(commands, wanted, responses, attendant);
        // Before the far end says it.
        for response in responses.iter() {
            keep(&self.ledger.answers, response.data());
        }
        result
    }

    fn converse(
        &mut self,
        plan: &[Packet],
        attendant: &mut dyn Attendant,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), Self::Error> {
        self.chip.converse(plan, attendant, next)
    }
}

/// Its terminal, and the longest answer.
struct Measured {
    terminal: Terminal,
    longest: usize,
}

impl Stream for Measured {
    type Error = io::Error;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        self.terminal.read(buffer, limit)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.longest = self.longest.max(bytes.len());
        self.terminal.write(bytes)
    }

    fn now(&mut self) -> Duration {
        self.terminal.now()
    }
}

pub(super) struct Far<'a> {
    stream: Measured,
    chip: Watched<'a>,
    gate: Policy<'a>,
}

impl<'a> Far<'a> {
    pub(super) fn new(terminal: Terminal, chip: I2cTransport<Bus, Clock>, ledger: &'a Ledger) -> Self {
        Self {
            stream: Measured { terminal, longest: 0 },
            chip: Watched { chip, ledger, wrong: None },
            gate: Policy(ledger),
        }
    }

    /// Serves, with a loss of memory when it is told to, and returns the longest time that one look at the line took.
    pub(super) fn serve(mut self, weather: &Weather, restart: &AtomicBool) -> Result<Duration, String> {
        let about = About { name: "campaign", is_emulated: true, ..About::default() };
        let mut server = Server::new(about);
        let mut longest = Duration::ZERO;
        while !weather.is_over.load(Ordering::Relaxed) {
            if restart.load(Ordering::Relaxed) {
                server = Server::new(about);
                self.stream.terminal.port.write_all(BOOT).map_err(|error| error.to_string())?;
                restart.store(false, Ordering::Relaxed);
            }
            let start = self.stream.now();
            server
                .poll(&mut self.stream, &mut self.chip, &mut self.gate)
                .map_err(|error| error.to_string())?;
            longest = longest.max(self.stream.now() - start);
            let wrong = if longest > longest_poll() {
                Some(format!("the far end was busy for {longest:?}"))
            } else if self.stream.longest > MAX_REPLY {
                Some(format!("an answer of {} bytes", self.stream.longest))
            } else {
                self.chip.wrong.take()
            };
            if let Some(wrong) = wrong {
                weather.is_over.store(true, Ordering::Relaxed);
                return Err(wrong);
            }
        }
        Ok(longest)
    }
}
