//! The chip as the bus sees it: asleep, awake, busy, and an input and an output buffer (section 7).

mod power;

use std::time::Duration;

use atecc::{
    PublicKey, Slot, Status,
    packet::{MAX_GROUP, MIN_GROUP, Packet, Response, crc16},
};
use heapless::Vec;

use self::power::Tempo;
pub use self::power::{Pace, PowerCut, Watchdog};
use crate::{
    Eeprom, EepromFile, Storage,
    command::{self, Volatile},
    memory::{Latches, Memory},
};

/// tWHI: from the wake pulse until the chip listens (section 8.3).
const WAKE_DELAY: Duration = Duration::from_micros(1_500);
/// What a write is for (table 7-2).
mod word_address {
    pub(super) const RESET: u8 = 0x00;
    pub(super) const SLEEP: u8 = 0x01;
    pub(super) const IDLE: u8 = 0x02;
    pub(super) const COMMAND: u8 = 0x03;
}

/// An ATECC608 with its memory.
#[derive(Debug)]
pub struct Chip {
    memory: Memory,
    storage: Option<Box<dyn Storage>>,
    tempo: Tempo,
    watchdog: Watchdog,
    /// In effect until the next sleep.
    i2c_address: u8,
    power: Power,
    power_cut: Option<PowerCut>,
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

/// A command that was executed.
#[derive(Clone, Debug)]
pub(crate) struct Executed {
    pub(crate) packet: Packet,
    /// How it ended.
    pub(crate) status: Status,
    /// How long the chip is busy with it.
    pub(crate) busy: Duration,
}

impl Chip {
    /// A chip with this EEPROM, asleep. It forgets what is written with the end of its life.
    pub fn new(eeprom: Eeprom, pace: Pace) -> Self {
        Self::with(Memory::new(eeprom, &[]), None, pace)
    }

    /// A chip with the EEPROM in this file, asleep. What is written is saved there before the chip answers.
    pub fn from_file(file: EepromFile, pace: Pace) -> Self {
        Self::with_storage(file.eeprom().clone(), Box::new(file), pace)
    }

    /// A chip with this EEPROM, asleep. What is written is saved in `storage` before the chip answers.
    pub fn with_storage(eeprom: Eeprom, storage: Box<dyn Storage>, pace: Pace) -> Self {
        Self::with(Memory::new(eeprom, &[]), Some(storage), pace)
    }

    /// A chip that replays the public side of another one, for tests of what is read from real parts: GenKey
    /// answers with these public keys although their private keys are not here.
    ///
    /// It cannot stand in for that part: whatever needs one of the private keys is refused with an ECC fault.
    /// [`provision::replica`](crate::provision::replica) makes the EEPROM for it.
    pub fn replaying(eeprom: Eeprom, public_keys: &[(Slot, PublicKey)], pace: Pace) -> Self {
        Self::with(Memory::new(eeprom, public_keys), None, pace)
    }

    fn with(memory: Memory, storage: Option<Box<dyn Storage>>, pace: Pace) -> Self {
        let i2c_address = address(memory.eeprom());
        Self {
            memory,
            storage,
            tempo: Tempo::new(pace),
            watchdog: Watchdog::default(),
            i2c_address,
            power: Power::Asleep,
            power_cut: None,
            input: Vec::new(),
            output: Output::default(),
        }
    }

    /// What the chip remembers without power.
    pub const fn eeprom(&self) -> &Eeprom {
        self.memory.eeprom()
    }

    /// The seven-bit address that it listens to: I2C_Address, or UserExtraAdd once that is written and ChipMode
    /// allows it (section 2.1.1). A change takes effect after the next sleep.
    pub const fn i2c_address(&self) -> u8 {
        self.i2c_address
    }

    /// Chooses the watchdog, from the next wake on.
    pub const fn set_watchdog(&mut self, watchdog: Watchdog) {
        self.watchdog = watchdog;
    }

    /// Cuts the power once, when `cut` says.
    pub const fn cut_power(&mut self, cut: PowerCut) {
        self.power_cut = Some(cut);
    }

    /// Cuts the power now, for a moment.
    pub fn lose_power(&mut self) {
        self.memory.latches = Latches::default();
        self.power_cut = None;
        self.sleep();
    }

    /// Lets the engines in `failed` (the bits of SelfTest's mode) fail their self test, until the next wake or
    /// until SelfTest passes.
    pub const fn fail_self_test(&mut self, failed: u8) {
        self.memory.volatile.failed_tests = failed;
    }

    /// Lets the random number generator fail its health test.
    pub const fn fail_health_test(&mut self) {
        self.memory.latches.is_generator_unhealthy = true;
    }

    /// A wake pulse that ends at `now`. An awake chip ignores it.
    pub(crate) fn wake(&mut self, now: Duration) {
        self.keep_time(now);
        if matches!(self.power, Power::Awake { .. }) {
            return;
        }
        let watchdog = now + self.watchdog.duration(&self.memory.configuration());
        self.power = Power::Awake { ready: now + WAKE_DELAY, watchdog };
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

    /// How long it will hear what is on the bus, if nothing is asked of it: until the watchdog or a loss of power.
    pub(crate) fn listens_until(&self) -> Duration {
        let Power::Awake { watchdog, .. } = self.power else { return Duration::ZERO };
        match self.power_cut {
            Some(PowerCut::At(moment)) => watchdog.min(moment),
            _ => watchdog,
        }
    }

    /// Takes the bytes of a write that ends at `now`; the first is the word address. Gives the command that
    /// was executed, if one was.
    pub(crate) fn write(&mut self, bytes: &[u8], now: Duration) -> Option<Executed> {
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
            [word_address::COMMAND, group @ ..] => return self.receive(group, now),
            _ => {}
        }
        None
    }

    /// Fills `buffer` from the output buffer, and with 0xFF behind its end.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = self.output.group.get(self.output.position).copied().unwrap_or(0xff);
            self.output.position = self.output.position.saturating_add(1);
        }
    }

    /// Loses power when that is due, and falls asleep when the watchdog has expired.
    fn keep_time(&mut self, now: Duration) {
        if matches!(self.power_cut, Some(PowerCut::At(moment)) if now >= moment) {
            self.lose_power();
        }
        if matches!(self.power, Power::Awake { watchdog, .. } if now >= watchdog) {
            self.sleep();
        }
    }

    fn sleep(&mut self) {
        self.power = Power::Asleep;
        self.memory.volatile = Volatile::default();
        self.i2c_address = address(self.memory.eeprom());
        self.input.clear();
        self.output = Output::default();
    }

    /// Collects a group, which may come in several writes, and executes it when it is whole. What follows the
    /// group is ignored.
    fn receive(&mut self, bytes: &[u8], now: Duration) -> Option<Executed> {
        let room = MAX_GROUP - self.input.len();
        // As many as fit.
        let _ = self.input.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let count = self.input.first().map(|&count| usize::from(count))?;
        if !(MIN_GROUP..=MAX_GROUP).contains(&count) {
            self.input.clear();
            self.answer_status(Status::CommunicationError);
            return None;
        }
        if self.input.len() < count {
            return None;
        }
        let group: Vec<u8, MAX_GROUP> = self.input[..count].iter().copied().collect();
        self.input.clear();
        let (body, crc) = group.split_at(count - 2);
        if crc16(body) != crc {
            self.answer_status(Status::CommunicationError);
            return None;
        }
        let Ok(packet) = Packet::parse(&group) else {
            // The smallest command has seven bytes: a shorter group with a good checksum is no command.
            self.answer_status(Status::ParseError);
            return None;
        };
        self.execute(packet, now)
    }

    fn execute(&mut self, packet: Packet, now: Duration) -> Option<Executed> {
        let Power::Awake { watchdog, .. } = self.power else { return None };
        let configuration = self.memory.configuration();
        let mut busy = self.tempo.duration(packet.opcode(), &configuration);
        let result = if now + busy >= watchdog {
            busy = Duration::ZERO;
            Err(Status::WatchdogAboutToExpire)
        } else {
            self.memory.begin();
            let result = command::execute(&packet, &mut self.memory);
            if self.is_power_cut(now + busy) {
                return None;
            }
            self.save().and(result)
        };
        if result.as_ref().err() == Some(&Status::ParseError) {
            // Nothing was done; no command has this opcode.
            busy = busy.min(self.tempo.duration(0x00, &configuration));
        }
        self.power = Power::Awake { ready: now + busy, watchdog };
        let status = match &result {
            Ok(response) => response.status().unwrap_or(Status::Success),
            Err(status) => *status,
        };
        match result {
            Ok(response) => self.output.put(&response),
            Err(status) => self.answer_status(status),
        }
        Some(Executed { packet, status, busy })
    }

    /// Whether the power goes before the command that has just been executed is done, at `done`. Then only a
    /// part of what it wrote is there.
    fn is_power_cut(&mut self, done: Duration) -> bool {
        let kept = match self.power_cut {
            Some(PowerCut::AfterBytes(kept)) => kept,
            Some(PowerCut::At(moment)) if moment <= done => 0,
            _ => return false,
        };
        self.memory.take_back(kept);
        // Nobody is there to be told; the storage has said it in the log.
        let _ = self.save();
        self.lose_power();
        true
    }

    /// Keeps what the command wrote, or takes it back.
    fn save(&mut self) -> Result<(), Status> {
        let Some(storage) = self.storage.as_mut().filter(|_| self.memory.is_changed()) else { return Ok(()) };
        storage.save(self.memory.eeprom()).map_err(|error| {
            tracing::error!(%error, "the EEPROM of the emulated chip cannot be saved");
            self.memory.take_back(0);
            Status::ExecutionError
        })
    }

    fn answer_status(&mut self, status: Status) {
        if let Ok(response) = Response::new(&[status.code()]) {
            self.output.put(&response);
        }
    }
}

/// The seven-bit address of a chip with this EEPROM. ChipMode (byte 19), bit 0, lets UserExtraAdd (byte 85)
/// take the place of I2C_Address (byte 16).
fn address(eeprom: &Eeprom) -> u8 {
    let configuration = eeprom.configuration();
    let bytes = configuration.as_bytes();
    let changed = bytes[85];
    if bytes[19] & 0x01 != 0 && changed != 0 { changed >> 1 } else { bytes[16] >> 1 }
}

#[cfg(test)]
mod tests;
