//! The chip on an I2C bus (section 7): wake, packets, polls, sleep.

mod error;
mod statistics;
#[cfg(test)]
mod tests;
mod timing;

use embedded_hal::{delay::DelayNs, i2c::I2c};
use zeroize::Zeroizing;

pub use error::Error;
pub use statistics::Statistics;
use timing::{Looks, Timing};

use crate::{
    Responses, Status, Transport, Wanted, command,
    link::Attendant,
    packet::{GroupError, MAX_GROUP, MAX_RESPONSE_DATA, OVERHEAD, Packet, Response},
    zone::ClockDivider,
};

/// The seven-bit address of Trust&GO parts; their I2C_Address byte is 0x6A.
pub const TRUST_AND_GO_ADDRESS: u8 = 0x35;

/// First byte of a write: what the bytes behind it are for (table 7-2).
mod word_address {
    pub(super) const RESET: u8 = 0x00;
    pub(super) const SLEEP: u8 = 0x01;
    pub(super) const COMMAND: u8 = 0x03;
}

/// Address and data of the wake pulse: at 100 kHz or slower the zeros hold SDA low for tWLO, 60 µs
/// (sections 7.1.1 and 8.3).
const WAKE_ADDRESS: u8 = 0x00;
/// tWHI, from the pulse to the first transfer (section 8.3).
const WAKE_DELAY_US: u32 = 1_500;
/// The shortest watchdog (section 8.3) less a margin for the time that the host takes between commands, which
/// this driver cannot measure: it has no clock and adds up its own delays and the bytes on the bus.
const LEASE_US: u64 = 650_000;
/// One byte with its acknowledgement at 100 kHz; on a faster bus the lease ends a little early.
const BYTE_US: u64 = 90;
/// A chip that does not answer its wake may be awake: busy with a command that an interrupted program left,
/// or waiting. It is told to sleep and woken again after each of these pauses; the last outlasts the longest
/// watchdog (1.7 s, section 8.3), after which any chip sleeps.
const WAKE_RECOVERY_US: [u32; 4] = [1_000, 20_000, 200_000, 1_700_000];
/// How often an answer that was damaged on its way is read again, and how often the chip is told so.
const REREADS: u32 = 3;
/// How often a transaction is tried when the bus or the chip loses it.
const ATTEMPTS: u32 = 3;

/// A chip at one address of an I2C bus.
#[derive(Debug)]
pub struct I2cTransport<I, D> {
    bus: I,
    delay: D,
    address: u8,
    timing: Timing,
    statistics: Statistics,
}

impl<I: I2c, D: DelayNs> I2cTransport<I, D> {
    /// The chip at the seven-bit `address` of `bus`. Nothing is sent.
    pub const fn new(bus: I, delay: D, address: u8) -> Self {
        Self { bus, delay, address, timing: Timing::new(ClockDivider::M0), statistics: Statistics::ZERO }
    }

    /// Sets how long commands may take; Trust&GO parts are [`ClockDivider::M0`], which is also the default.
    /// What was learnt about the chip's times is forgotten.
    pub const fn set_clock_divider(&mut self, divider: ClockDivider) {
        self.timing = Timing::new(divider);
    }

    /// What has crossed the bus so far.
    pub const fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// The bus, for whoever has to open it again. What is sent through it is not counted.
    pub const fn bus_mut(&mut self) -> &mut I {
        &mut self.bus
    }

    /// The bus and the delay; ends the use of this value.
    pub fn release(self) -> (I, D) {
        (self.bus, self.delay)
    }

    /// One attempt, from sleep to sleep.
    fn attempt(&mut self, commands: &[Packet], responses: &mut Responses) -> Result<(), Error<I::Error>> {
        responses.clear();
        self.wake()?;
        let result = self.run(commands, responses);
        // Asleep whatever happened: the next transaction must not find what this one left. Idle would keep
        // a latched fault. If the chip does not hear it, the watchdog does the same.
        let _ = self.write(&[word_address::SLEEP]);
        result
    }

    /// Puts the chip to sleep if it is awake: because of the wake pulse of another chip on the bus, or because an
    /// interrupted program left it so. It would go on with a watchdog that has run for a while, which only
    /// costs another try where there is one. A sleeping chip does not hear it.
    fn settle(&mut self) {
        let _ = self.write(&[word_address::SLEEP]);
    }

    /// Wakes the chip and reads that it did; ends with an awake chip whose memory is empty.
    fn wake(&mut self) -> Result<(), Error<I::Error>> {
        let mut last = None;
        let mut pauses = WAKE_RECOVERY_US.into_iter();
        loop {
            self.statistics.wakes += 1;
            self.statistics.transactions += 1;
            // Nobody answers at address 0, so a missing acknowledgement is no failure.
            let _ = self.bus.write(WAKE_ADDRESS, &[0x00]);
            self.wait(WAKE_DELAY_US);
            match self.read(1) {
                Ok(response) if response.status() == Some(Status::AfterWake) => return Ok(()),
                Ok(response) => last = response.status().map(Error::Wake).or(last),
                Err(error) => last = Some(error),
            }
            let _ = self.write(&[word_address::SLEEP]);
            let Some(pause) = pauses.next() else { break };
            self.wait(pause);
        }
        Err(match last {
            Some(Error::Wake(status)) => Error::Wake(status),
            Some(Error::Bus(source)) => Error::NoAnswer { address: self.address, source: Some(source) },
            Some(Error::Damaged(error @ (GroupError::Crc | GroupError::Length { .. }))) => {
                Error::Damaged(error)
            }
            _ => Error::NoAnswer { address: self.address, source: None },
        })
    }

    fn run(&mut self, commands: &[Packet], responses: &mut Responses) -> Result<(), Error<I::Error>> {
        for packet in commands {
            let response = self.execute(packet)?;
            let failed = is_error(&response);
            if responses.push(response).is_err() {
                return Err(Error::TooManyCommands);
            }
            if failed {
                break;
            }
        }
        Ok(())
    }

    /// The packets of a conversation, as long as the watchdog leaves time for the next.
    fn lease(
        &mut self,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), Error<I::Error>> {
        let end = self.statistics.elapsed_us() + LEASE_US;
        let mut answer = None;
        while let Some(packet) = next(answer.as_ref()) {
            let expected = u64::from(self.timing.expected_us(&packet));
            let transfer = BYTE_US * packet.as_bytes().len() as u64;
            if self.statistics.elapsed_us() + transfer + expected > end {
                return Err(Error::LeaseExpired { command: command::name(packet.opcode()) });
            }
            let response = self.execute(&packet)?;
            match response.status() {
                Some(status @ (Status::AfterWake | Status::WatchdogAboutToExpire)) => {
                    return Err(Error::SequenceLost(status));
                }
                Some(status) if status != Status::Success => {
                    let _ = next(Some(&response));
                    return Ok(());
                }
                _ => answer = Some(response),
            }
        }
        Ok(())
    }

    /// Sends one command and gets its answer, which has the length that the command's has: what an earlier
    /// command left in the output buffer is not taken for it.
    fn execute(&mut self, packet: &Packet) -> Result<Response, Error<I::Error>> {
        let response = self.exchange(packet)?;
        let received = response.data().len();
        if is_error(&response) || packet.response_data().is_none_or(|expected| expected == received) {
            return Ok(response);
        }
        Err(Error::Damaged(GroupError::Length { received: received + OVERHEAD }))
    }

    /// Sends one command and waits for an answer: a first look before it can be there, then short pauses until
    /// the longest time (see [`timing`]).
    fn exchange(&mut self, packet: &Packet) -> Result<Response, Error<I::Error>> {
        let mut group = Zeroizing::new([0; 1 + MAX_GROUP]);
        let length = packet.as_bytes().len();
        group[0] = word_address::COMMAND;
        group[1..=length].copy_from_slice(packet.as_bytes());
        self.statistics.commands += 1;
        self.write(&group[..=length]).map_err(Error::Bus)?;

        let first = self.timing.first_look_us(packet);
        let longest = self.timing.longest_us(packet).max(first);
        let expected = packet.response_data().unwrap_or(MAX_RESPONSE_DATA);
        self.wait(first);
        let mut looks = Looks::after(first);
        // Pauses only: on a bus that is faster than it should be the looks are shorter.
        let mut waited = first;
        let mut damages = 0;
        loop {
            let error = match self.read(expected) {
                Ok(response) => {
                    if damages == 0 && !is_error(&response) {
                        self.timing.observe(packet, looks);
                    }
                    return Ok(response);
                }
                Err(error) => error,
            };
            if is_damage(&error) && damages < REREADS {
                damages += 1;
                self.reread();
                continue;
            }
            if is_damage(&error) || waited >= longest {
                return Err(match error {
                    Error::Bus(source) => Error::Timeout { command: command::name(packet.opcode()), source },
                    other => other,
                });
            }
            // Busy: adapters report the missing acknowledgement in different words, some as a read of fill.
            self.statistics.polls += 1;
            let pause = looks.busy();
            self.wait(pause);
            waited = waited.saturating_add(pause);
        }
    }

    /// The bytes were damaged on the way, and the chip still has them: the next read starts over (table 7-2,
    /// Reset). If the chip does not hear it, that read finds what was not read yet, which is damaged too or fill.
    fn reread(&mut self) {
        for _ in 0..REREADS {
            if self.write(&[word_address::RESET]).is_ok() {
                break;
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), I::Error> {
        self.statistics.transactions += 1;
        self.statistics.bytes_written += bytes.len() as u64;
        self.bus.write(self.address, bytes)
    }

    /// Reads one answer with up to `data` bytes between count and CRC.
    fn read(&mut self, data: usize) -> Result<Response, Error<I::Error>> {
        let mut buffer = Zeroizing::new([0; MAX_RESPONSE_DATA + OVERHEAD]);
        let buffer = &mut buffer[..data.clamp(1, MAX_RESPONSE_DATA) + OVERHEAD];
        self.statistics.transactions += 1;
        self.bus.read(self.address, buffer).map_err(Error::Bus)?;
        self.statistics.bytes_read += buffer.len() as u64;
        Response::parse(buffer).map_err(Error::Damaged)
    }

    fn wait(&mut self, microseconds: u32) {
        self.statistics.waited_us += u64::from(microseconds);
        self.delay.delay_us(microseconds);
    }
}

impl<I: I2c, D: DelayNs> Transport for I2cTransport<I, D> {
    type Error = Error<I::Error>;

    fn transact_attended(
        &mut self,
        commands: &[Packet],
        wanted: Wanted,
        responses: &mut Responses,
        _: &mut dyn Attendant,
    ) -> Result<usize, Self::Error> {
        let attempts =
            if commands.iter().all(|packet| command::is_repeatable(packet.opcode(), packet.param1())) {
                ATTEMPTS
            } else {
                self.settle();
                1
            };
        for attempt in 1.. {
            match self.attempt(commands, responses) {
                Ok(()) if attempt < attempts && responses.last().is_some_and(is_passing) => {}
                Err(error) if attempt < attempts && error.is_passing() => {}
                result => return result.map(|()| wanted.keep(responses)),
            }
            self.statistics.retries += 1;
        }
        Err(Error::TooManyCommands)
    }

    fn converse(
        &mut self,
        _: &[Packet],
        _: &mut dyn Attendant,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), Self::Error> {
        self.settle();
        self.wake()?;
        let result = self.lease(next);
        // As at the end of every transaction.
        let _ = self.write(&[word_address::SLEEP]);
        result
    }
}

/// Whether something came that is not what the chip sent. Fill is what a chip without an answer gives: to start
/// over would show what the command before left there.
const fn is_damage<B>(error: &Error<B>) -> bool {
    matches!(error, Error::Damaged(GroupError::Crc | GroupError::Length { .. }))
}

/// Whether `response` ends the transaction.
fn is_error(response: &Response) -> bool {
    response.status().is_some_and(|status| status != Status::Success)
}

/// Whether the chip asks for nothing but another try.
fn is_passing(response: &Response) -> bool {
    matches!(
        response.status(),
        Some(
            Status::AfterWake | Status::CommunicationError | Status::EccFault | Status::WatchdogAboutToExpire
        )
    )
}
