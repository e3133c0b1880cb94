//! The chip as the bus sees it: asleep, awake, busy, and an input and an output buffer (section 7).

use std::time::Duration;

use atecc::{
    Status,
    packet::{MAX_GROUP, MIN_GROUP, Packet, Response, crc16},
};
use heapless::Vec;

use crate::{
    Eeprom,
    command::{self, Volatile},
};

/// tWHI: from the wake pulse until the chip listens (section 8.3).
const WAKE_DELAY: Duration = Duration::from_micros(1_500);
/// tWATCHDOG, typical: from the wake until the chip falls asleep by itself (section 8.3).
const WATCHDOG: Duration = Duration::from_millis(1_300);

/// What a write is for (table 7-2).
mod word_address {
    pub(super) const RESET: u8 = 0x00;
    pub(super) const SLEEP: u8 = 0x01;
    pub(super) const IDLE: u8 = 0x02;
    pub(super) const COMMAND: u8 = 0x03;
}

/// How long commands take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// As on a chip: typical times, up to a fifth shorter or longer from call to call.
    #[default]
    Typical,
    /// No time at all.
    Instant,
}

/// An ATECC608 with its memory.
#[derive(Debug)]
pub struct Chip {
    eeprom: Eeprom,
    volatile: Volatile,
    pace: Pace,
    power: Power,
    input: Vec<u8, MAX_GROUP>,
    output: Output,
}

#[derive(Clone, Copy, Debug)]
enum Power {
    /// Volatile memory is empty.
    Asleep,
    /// Volatile memory is kept; only a wake pulse is heard.
    Idle,
    /// Listening from `ready` on, until the watchdog ends it.
    Awake { ready: Duration, watchdog: Duration },
}

#[derive(Debug, Default)]
struct Output {
    group: Vec<u8, MAX_GROUP>,
    position: usize,
}

impl Output {
    fn put(&mut self, response: &Response) {
        self.group = response.to_group();
        self.position = 0;
    }
}

impl Chip {
    /// A chip with this EEPROM, asleep.
    pub fn new(eeprom: Eeprom, pace: Pace) -> Self {
        Self {
            eeprom,
            volatile: Volatile::default(),
            pace,
            power: Power::Asleep,
            input: Vec::new(),
            output: Output::default(),
        }
    }

    /// What the chip remembers without power.
    pub const fn eeprom(&self) -> &Eeprom {
        &self.eeprom
    }

    /// The seven-bit address that it listens to.
    pub fn i2c_address(&self) -> u8 {
        self.eeprom.configuration().i2c_address()
    }

    /// A wake pulse that ends at `now`. An awake chip ignores it.
    pub(crate) fn wake(&mut self, now: Duration) {
        self.keep_time(now);
        if matches!(self.power, Power::Awake { .. }) {
            return;
        }
        self.power = Power::Awake { ready: now + WAKE_DELAY, watchdog: now + WATCHDOG };
        self.input.clear();
        self.answer_status(Status::AfterWake);
    }

    /// Whether it acknowledges its address when written to.
    pub(crate) fn acknowledges_write(&mut self, now: Duration) -> bool {
        self.keep_time(now);
        matches!(self.power, Power::Awake { ready, .. } if now >= ready)
    }

    /// Whether it acknowledges its address when read from: not while a command is half received.
    pub(crate) fn acknowledges_read(&mut self, now: Duration) -> bool {
        self.acknowledges_write(now) && self.input.is_empty()
    }

    /// Takes the bytes of a write that ends at `now`; the first is the word address.
    pub(crate) fn write(&mut self, bytes: &[u8], now: Duration) {
        match bytes {
            [word_address::RESET, ..] => {
                self.output.position = 0;
                self.input.clear();
            }
            [word_address::SLEEP, ..] => self.sleep(),
            [word_address::IDLE, ..] => {
                self.power = Power::Idle;
                self.input.clear();
            }
            [word_address::COMMAND, group @ ..] => self.receive(group, now),
            _ => {}
        }
    }

    /// Fills `buffer` from the output buffer, and with 0xFF behind its end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.output.group.get(self.output.position).copied().unwrap_or(0xff);
            self.output.position = self.output.position.saturating_add(1);
        }
    }

    /// Falls asleep when the watchdog has expired.
    fn keep_time(&mut self, now: Duration) {
        if matches!(self.power, Power::Awake { watchdog, .. } if now >= watchdog) {
            self.sleep();
        }
    }

    fn sleep(&mut self) {
        self.power = Power::Asleep;
        self.volatile = Volatile::default();
        self.input.clear();
        self.output = Output::default();
    }

    /// Collects a group, which may come in several writes, and executes it when it is whole. What follows the
    /// group is ignored.
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        let room = MAX_GROUP - self.input.len();
        // As many as fit.
        let _ = self.input.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let Some(count) = self.input.first().map(|&count| usize::from(count)) else { return };
        if !(MIN_GROUP..=MAX_GROUP).contains(&count) {
            self.input.clear();
            return self.answer_status(Status::CommunicationError);
        }
        if self.input.len() < count {
            return;
        }
        let group: Vec<u8, MAX_GROUP> = self.input[..count].iter().copied().collect();
        self.input.clear();
        self.execute(&group, now);
    }

    fn execute(&mut self, group: &[u8], now: Duration) {
        let Power::Awake { watchdog, .. } = self.power else { return };
        let (body, crc) = group.split_at(group.len() - 2);
        if crc16(body) != crc {
            return self.answer_status(Status::CommunicationError);
        }
        // The smallest command has seven bytes: a shorter group with a good checksum is no command.
        let Ok(packet) = Packet::parse(group) else { return self.answer_status(Status::ParseError) };

        let busy = match self.pace {
            Pace::Typical => varied(command::execution_time(packet.opcode())),
            Pace::Instant => Duration::ZERO,
        };
        if now + busy >= watchdog {
            return self.answer_status(Status::WatchdogAboutToExpire);
        }
        let result = command::execute(&packet, &self.eeprom, &mut self.volatile);
        tracing::trace!(?packet, status = ?result.as_ref().err(), ?busy, "executed");
        self.power = Power::Awake { ready: now + busy, watchdog };
        match result {
            Ok(response) => self.output.put(&response),
            Err(status) => self.answer_status(status),
        }
    }

    fn answer_status(&mut self, status: Status) {
        if let Ok(response) = Response::new(&[status.code()]) {
            self.output.put(&response);
        }
    }
}

/// `typical`, up to a fifth shorter or longer.
fn varied(typical: Duration) -> Duration {
    // A machine without randomness fails loudly where it matters, in the commands; here the typical time does.
    let draw = getrandom::u32().unwrap_or(u32::MAX / 2);
    typical.mul_f64(0.8 + 0.4 * f64::from(draw) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests;
