//! The bus with its lock around every transaction.

use std::time::{Duration, Instant};

use atecc::{
    Configuration, Responses, SerialNumber, Transport,
    command::{self, Address, Command, Read, ReadSize, Zone},
    i2c::{self, I2cTransport},
    packet::{Packet, Response},
    zone::CONFIGURATION_ZONE,
};
use atecc_emulator::Clock;

use crate::{
    Statistics,
    bus::{AnyBus, TransportError, Way},
    lock::BusLock,
};

/// The first block of the configuration zone, which holds the serial number.
const SERIAL_NUMBER: Read =
    Read { zone: Zone::Configuration, address: Address { block: 0, word: 0 }, size: ReadSize::Block };

/// A way to the chip that is locked while it is used.
#[derive(Debug)]
pub(super) struct SharedBus {
    transport: I2cTransport<AnyBus, Clock>,
    lock: Option<BusLock>,
    /// The chip that has to be there.
    expected: Option<SerialNumber>,
    signatures: u64,
    busy: Duration,
}

impl SharedBus {
    /// The bus at the end of this way.
    pub(super) fn new(way: Way) -> Self {
        Self { transport: way.transport, lock: way.lock, expected: None, signatures: 0, busy: Duration::ZERO }
    }

    /// Takes the speed of the chip from its configuration zone.
    pub(super) fn learn(&mut self, configuration: &Configuration) {
        self.transport.set_clock_divider(configuration.clock_divider());
    }

    /// From now on each transaction begins with a look at the serial number, and ends there if it is another.
    /// Without one no transaction does.
    pub(super) const fn expect(&mut self, serial_number: Option<SerialNumber>) {
        self.expected = serial_number;
    }

    /// Counts a signature that is handed out.
    pub(super) const fn count_signature(&mut self) {
        self.signatures += 1;
    }

    /// What it has cost so far.
    pub(super) const fn statistics(&self) -> Statistics {
        Statistics { signatures: self.signatures, bus: self.transport.statistics(), busy: self.busy }
    }

    fn locked<T>(
        &mut self,
        run: impl FnOnce(&mut I2cTransport<AnyBus, Clock>) -> Result<T, TransportError>,
    ) -> Result<T, TransportError> {
        let _guard = self.lock.as_ref().map(BusLock::acquire).transpose()?;
        let start = Instant::now();
        let result = run(&mut self.transport);
        self.busy += start.elapsed();
        result
    }
}

impl Transport for SharedBus {
    type Error = TransportError;

    fn transact(&mut self, commands: &[Packet], responses: &mut Responses) -> Result<(), TransportError> {
        let Some(expected) = self.expected else {
            return self.locked(|transport| Ok(transport.transact(commands, responses)?));
        };
        if !commands.iter().all(|packet| command::is_repeatable(packet.opcode(), packet.param1())) {
            return self.transact_step_by_step(expected, commands, responses);
        }
        // Nothing here harms another chip: its answers are just not handed out.
        let mut with_serial: Vec<Packet> = vec![SERIAL_NUMBER.packet()];
        with_serial.extend_from_slice(commands);
        self.locked(|transport| Ok(transport.transact(&with_serial, responses)?))?;
        if let Some(block) = responses.first() {
            check(expected, block)?;
            responses.remove(0);
        }
        Ok(())
    }

    fn converse(
        &mut self,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), TransportError> {
        match self.expected {
            Some(expected) => self.converse_with(expected, next),
            None => self.locked(|transport| Ok(transport.converse(next)?)),
        }
    }
}

impl SharedBus {
    /// A transaction whose commands are sent to the expected chip only.
    fn transact_step_by_step(
        &mut self,
        expected: SerialNumber,
        commands: &[Packet],
        responses: &mut Responses,
    ) -> Result<(), TransportError> {
        responses.clear();
        let mut commands = commands.iter();
        let mut has_room = true;
        self.converse_with(expected, &mut |answer| {
            if let Some(answer) = answer {
                has_room &= responses.push(answer.clone()).is_ok();
            }
            commands.next().cloned()
        })?;
        if has_room { Ok(()) } else { Err(TransportError::Bus(i2c::Error::TooManyCommands)) }
    }

    /// A conversation that ends before its first packet if the chip is not the expected one.
    fn converse_with(
        &mut self,
        expected: SerialNumber,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), TransportError> {
        let mut serial = Serial::Unknown;
        let mut stranger = Ok(());
        self.locked(|transport| {
            Ok(transport.converse(&mut |answer| match (serial, answer) {
                (Serial::Unknown, _) => {
                    serial = Serial::Asked;
                    Some(SERIAL_NUMBER.packet())
                }
                (Serial::Asked, Some(block)) => {
                    serial = Serial::Known;
                    stranger = check(expected, block);
                    if stranger.is_ok() { next(None) } else { None }
                }
                (Serial::Asked, None) => None,
                (Serial::Known, answer) => next(answer),
            })?)
        })?;
        stranger
    }
}

/// How far a conversation knows whom it talks to.
#[derive(Clone, Copy)]
enum Serial {
    Unknown,
    Asked,
    Known,
}

/// Whether the first block of the configuration zone is that of the expected chip.
fn check(expected: SerialNumber, block: &Response) -> Result<(), TransportError> {
    let mut zone = [0; CONFIGURATION_ZONE];
    zone.iter_mut().zip(block.data()).for_each(|(zone, byte)| *zone = *byte);
    let found = Configuration::from_bytes(zone).serial_number();
    if found == expected { Ok(()) } else { Err(TransportError::AnotherChip { expected, found }) }
}
