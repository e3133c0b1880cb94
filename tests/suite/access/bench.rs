//! The emulated chip on its emulated bus, in virtual time, spoken to in bytes.

use std::time::Duration;

use atecc::{
    Slot,
    packet::{Packet, Response},
};
use atecc_emulator::{Bus, Chip, Clock, Eeprom, Pace};
use embedded_hal::{delay::DelayNs, i2c::I2c};

use super::command::Command;

/// tWHI (section 8.3).
const AFTER_WAKE_US: u32 = 1_500;
/// Longer than the longest watchdog (section 8.3: 1.7 s).
const LONGER_THAN_WATCHDOG_MS: u32 = 2_000;
const POLLS: usize = 3_000;

pub(crate) struct Bench {
    bus: Bus,
    clock: Clock,
    woken: Duration,
}

impl Bench {
    pub(crate) fn new(eeprom: Eeprom) -> Self {
        let clock = Clock::new_virtual();
        let bus = Bus::new(Chip::new(eeprom, Pace::Instant), clock.clone(), Bus::STANDARD_HERTZ);
        Self { bus, clock, woken: Duration::ZERO }
    }

    /// Wakes the chip, which has to say so.
    pub(crate) fn wake(&mut self, address: u8) -> Result<(), String> {
        let _ = self.bus.write(0x00, &[]);
        self.clock.delay_us(AFTER_WAKE_US);
        self.woken = self.clock.now();
        match self.answer(address)?.as_slice() {
            [0x11] => Ok(()),
            other => Err(format!("wake was answered with {other:02x?}")),
        }
    }

    /// How long the chip is awake.
    pub(crate) fn awake(&self) -> Duration {
        self.clock.now().saturating_sub(self.woken)
    }

    pub(crate) fn put_to(&mut self, word_address: u8, address: u8) -> Result<(), String> {
        self.bus
            .write(address, &[word_address])
            .map_err(|error| format!("word address {word_address}: {error}"))
    }

    /// Waits until the watchdog has expired; then nobody listens.
    pub(crate) fn expire(&mut self, address: u8) -> Result<(), String> {
        self.clock.delay_ms(LONGER_THAN_WATCHDOG_MS);
        match self.bus.read(address, &mut [0]) {
            Ok(()) => Err("awake long after the watchdog's time".into()),
            Err(_) => Ok(()),
        }
    }

    /// Sends a command, damaged or not, and gives what stands between count and CRC of the answer.
    pub(crate) fn exchange(
        &mut self,
        address: u8,
        command: &Command,
        damaged: bool,
    ) -> Result<Vec<u8>, String> {
        let Command { opcode, mode, param2, data, .. } = command;
        let packet = Packet::new(*opcode, *mode, *param2, &[data], 1);
        let mut group = vec![0x03];
        group.extend(packet.as_bytes());
        if let Some(last) = group.last_mut().filter(|_| damaged) {
            *last ^= 0x10;
        }
        self.bus.write(address, &group).map_err(|error| format!("the command: {error}"))?;
        self.answer(address)
    }

    fn answer(&mut self, address: u8) -> Result<Vec<u8>, String> {
        let mut count = [0];
        for _ in 0..POLLS {
            if self.bus.read(address, &mut count).is_ok() {
                let mut group = vec![0; usize::from(count[0])];
                let (first, rest) = group.split_first_mut().ok_or("a count of zero")?;
                *first = count[0];
                self.bus.read(address, rest).map_err(|error| format!("the rest of an answer: {error}"))?;
                let response = Response::parse(&group).map_err(|error| format!("an answer: {error}"))?;
                return Ok(response.data().to_vec());
            }
            self.clock.delay_us(100);
        }
        Err("no answer".into())
    }

    pub(crate) fn memory(&self) -> Vec<u8> {
        image(self.bus.chip().eeprom())
    }
}

/// An EEPROM as bytes: configuration zone, OTP zone, slots.
pub(crate) fn image(eeprom: &Eeprom) -> Vec<u8> {
    let mut bytes = eeprom.configuration().as_bytes().to_vec();
    bytes.extend(eeprom.otp());
    for slot in (0..16).filter_map(Slot::new) {
        bytes.extend(eeprom.slot(slot));
    }
    bytes
}
