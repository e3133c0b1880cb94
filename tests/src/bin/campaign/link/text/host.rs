//! A careful host: it says what Microchip's library says, reads one line for each of its own, and checks all that the
//! protocol lets it check.

use std::{
    fmt, io,
    time::{Duration, Instant},
};

use atecc::{
    PublicKey, Signature, Slot, Status,
    command::{
        Address, Command, DigestSource, GenKeyPublic, InfoRevision, NonceFixed, NonceTarget, Random, Read,
        ReadSize, SignExternal, Zone,
    },
    kit::MAX_REPLY,
    link::Stream,
    packet::{Packet, Response},
};

use super::{Ledger, Terminal};
use crate::Random as Dice;

/// How long it waits for an answer, in the protocol's time.
const ANSWER: Duration = Duration::from_millis(600);
/// How long it waits on a line that is whole, in the world's time: another program may have the machine.
const PATIENCE: Duration = Duration::from_secs(5);
/// After this silence nothing of an earlier question comes any more, unless the line itself holds it.
const QUIET: Duration = Duration::from_millis(400);
const CALM: Duration = Duration::from_secs(2);

/// What the chip answers to the same question every time.
pub(super) struct Facts {
    pub(super) block: [u8; 32],
    pub(super) key: PublicKey,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) failures: u64,
    pub(super) signatures: u64,
    pub(super) strangers: u64,
    pub(super) wrong_signatures: u64,
    pub(super) restarts: u64,
    pub(super) recoveries: u64,
    pub(super) at_once: u64,
}

/// Why a request has no answer.
pub(super) enum Trouble {
    /// Nothing came in time.
    Silent,
    /// Something came that is no answer, or is damaged.
    Damaged(String),
    /// The chip, or who speaks for it, refuses.
    Status(Status),
    /// It is whole, and of another question.
    Stranger,
    /// What must not happen.
    Wrong(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("no answer"),
            Self::Damaged(line) => write!(f, "this is no answer: {line:?}"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Stranger => f.write_str("the answer to another question"),
            Self::Wrong(what) => f.write_str(what),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Wrong(error.to_string())
    }
}

pub(super) struct Host<'a> {
    terminal: Terminal,
    facts: Facts,
    ledger: &'a Ledger,
    is_whole: bool,
    pub(super) tally: Tally,
}

impl<'a> Host<'a> {
    pub(super) fn new(terminal: Terminal, facts: Facts, ledger: &'a Ledger) -> Self {
        Self { terminal, facts, ledger, is_whole: false, tally: Tally::default() }
    }

    /// It is killed in the middle of a line, and another one starts.
    pub(super) fn die(&mut self, dice: &mut Dice) -> Result<(), String> {
        self.tally.restarts += 1;
        let line = talk(&sign());
        let half = &line.as_bytes()[..dice.below(line.len())];
        self.terminal.write(half).map_err(|error| error.to_string())
    }

    /// After a failure: ends whatever it has begun, and listens until nothing comes any more.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        self.listen_out(QUIET)
    }

    /// The same on a line that is whole from now on, twice, since the line may have held something back.
    pub(super) fn calm(&mut self) -> Result<(), String> {
        self.listen_out(CALM)?;
        self.listen_out(CALM)?;
        self.is_whole = true;
        Ok(())
    }

    fn listen_out(&mut self, quiet: Duration) -> Result<(), String> {
        let text = |error: io::Error| error.to_string();
        self.terminal.write(b"\n").map_err(text)?;
        let mut buffer = [0; 512];
        while self.terminal.read(&mut buffer, quiet).map_err(text)? > 0 {}
        Ok(())
    }

    /// A request of any kind, with its answer judged.
    pub(super) fn request(&mut self, dice: &mut Dice) -> Result<(), Trouble> {
        let result = self.any(dice);
        self.is_whole = false;
        result
    }

    fn any(&mut self, dice: &mut Dice) -> Result<(), Trouble> {
        match dice.below(10) {
            0..4 => self.signature(dice),
            4 => self.chip(&InfoRevision.packet(), 4).map(drop),
            5 => {
                let address = Address { block: 0, word: 0 };
                let read = Read { zone: Zone::Configuration, address, size: ReadSize::Block };
                let block = self.chip(&read.packet(), 32)?;
                if block == self.facts.block { Ok(()) } else { self.stranger(&block) }
            }
            6 => {
                let key = self.chip(&GenKeyPublic { key: Slot::PRIMARY_KEY }.packet(), 64)?;
                if key == self.facts.key.as_bytes() { Ok(()) } else { self.stranger(&key) }
            }
            7 => self.forbidden(dice),
            8 => self.find(),
            _ => self.nonsense(dice),
        }
    }

    /// As the vendor's library signs: nine lines.
    fn signature(&mut self, dice: &mut Dice) -> Result<(), Trouble> {
        let mut digest = [0; 32];
        digest.iter_mut().for_each(|byte| *byte = dice.next() as u8);
        self.chip(&Random.packet(), 32)?;
        let load = NonceFixed { target: NonceTarget::MessageDigestBuffer, value: &digest };
        match self.chip(&load.packet(), 1)?[0] {
            0 => {}
            status => return Err(Trouble::Status(Status::from_code(status))),
        }
        let answer = self.chip(&sign(), 64)?;
        let bytes: [u8; 64] = answer.as_slice().try_into().map_err(|_| Trouble::Stranger)?;
        if self.facts.key.verify(&digest, &Signature::from_bytes(bytes)) {
            self.tally.signatures += 1;
            return Ok(());
        }
        self.tally.wrong_signatures += 1;
        self.stranger(&answer)
    }

    /// What the gate refuses: a lock, a new key, a write, a step of a counter.
    fn forbidden(&mut self, dice: &mut Dice) -> Result<(), Trouble> {
        let packet = [
            Packet::new(0x17, 0x82, 0, &[], 1),
            Packet::new(0x40, 0x04, 2, &[], 64),
            Packet::new(0x12, 0x82, 0x0040, &[&[0x5a; 32]], 1),
            Packet::new(0x24, 0x01, 0, &[], 4),
        ][dice.below(4)]
        .clone();
        match self.chip(&packet, 1) {
            Err(Trouble::Status(Status::ExecutionError)) => Ok(()),
            Ok(answer) => self.stranger(&answer),
            Err(trouble) => Err(trouble),
        }
    }

    /// How a library finds the chip.
    fn find(&mut self) -> Result<(), Trouble> {
        for (line, expected) in [
            ("board:device(00)\n", "ECC608A TWI 00(6A)"),
            ("E:physical:interface:i2c\n", "00()"),
            ("E:physical:select(6A)\n", "00()"),
        ] {
            let answer = self.say(line)?;
            if answer != expected {
                return Err(Trouble::Damaged(answer));
            }
        }
        Ok(())
    }

    /// Nothing that anybody answers, and then something.
    fn nonsense(&mut self, dice: &mut Dice) -> Result<(), Trouble> {
        let long = "E:t(".repeat(dice.below(1_200));
        let lines =
            ["AT+CGMM\n", "E:t(07\n", "\u{7f}\u{1}\n", "\n\n\r\n", long.as_str(), "ets Jul 29 2019\r\n"];
        self.terminal.write(lines[dice.below(lines.len())].as_bytes())?;
        self.terminal.write(b"\n")?;
        self.chip(&InfoRevision.packet(), 4).map(drop)
    }

    /// Wakes the chip, has it execute `packet`, and lets it idle. Returns `length` bytes.
    fn chip(&mut self, packet: &Packet, length: usize) -> Result<Vec<u8>, Trouble> {
        let woken = self.say("E:w()\n")?;
        if woken != "00(04113343)" {
            return Err(Trouble::Damaged(woken));
        }
        self.ledger.note_sent(packet);
        let answer = self.say(&talk(packet))?;
        let group = answer.strip_prefix("00(").and_then(|rest| rest.strip_suffix(')'));
        let response = group.and_then(unhex).and_then(|group| Response::parse(&group).ok());
        let Some(response) = response else { return Err(Trouble::Damaged(answer)) };
        let _idle = self.say("E:i()\n")?;
        let data = response.data().to_vec();
        match response.status() {
            Some(status) if status != Status::Success || length != 1 => Err(Trouble::Status(status)),
            // Whole, by its CRC: then the chip has said it, whatever the question was.
            None if !self.ledger.was_answered(&data) => {
                Err(Trouble::Wrong(format!("an answer that the chip did not give: {answer}")))
            }
            _ if data.len() == length => Ok(data),
            _ => Err(Trouble::Stranger),
        }
    }

    fn stranger(&mut self, answer: &[u8]) -> Result<(), Trouble> {
        self.tally.strangers += 1;
        if self.ledger.was_answered(answer) {
            Err(Trouble::Stranger)
        } else {
            Err(Trouble::Wrong(format!("{answer:02x?}")))
        }
    }

    /// Says a line and waits for one; what came before is forgotten.
    fn say(&mut self, line: &str) -> Result<String, Trouble> {
        self.terminal.port.discard_input_buffer()?;
        self.terminal.write(line.as_bytes())?;
        let (end, patience) = (self.terminal.now() + ANSWER, Instant::now() + PATIENCE);
        let (mut answer, mut byte) = (Vec::new(), [0; 512]);
        loop {
            let count = self.terminal.read(&mut byte, ANSWER / 4)?;
            answer.extend_from_slice(&byte[..count]);
            if let Some(length) = answer.iter().position(|byte| *byte == b'\n') {
                return Ok(String::from_utf8_lossy(&answer[..length]).trim().to_owned());
            }
            if answer.len() > 4 * MAX_REPLY {
                return Err(Trouble::Damaged(String::from_utf8_lossy(&answer).into_owned()));
            }
            let is_over = if self.is_whole { Instant::now() >= patience } else { self.terminal.now() >= end };
            if is_over && count == 0 {
                return Err(Trouble::Silent);
            }
        }
    }
}

fn sign() -> Packet {
    SignExternal { key: Slot::PRIMARY_KEY, source: DigestSource::MessageDigestBuffer }.packet()
}

fn talk(packet: &Packet) -> String {
    let hex: String = packet.as_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
    format!("E:t({hex})\n")
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
