//! What a way to the chip is made of: a bus that this process drives, or a bridge that has the chip.

use atecc::{
    Responses, Transport, Wanted,
    i2c::{I2cTransport, Statistics},
    link::Attendant,
    packet::{Packet, Response},
    zone::ClockDivider,
};
use atecc_emulator::Clock;

use super::{AnyBus, TransportError};
use crate::serial::Bridge;

/// A transport without its lock.
#[derive(Debug)]
pub(crate) enum Wire {
    I2c(Box<I2cTransport<AnyBus, Clock>>),
    Link(Box<Bridge>),
}

impl Wire {
    pub(crate) fn i2c(bus: AnyBus, clock: Clock, address: u8) -> Self {
        Self::I2c(Box::new(I2cTransport::new(bus, clock, address)))
    }

    /// How long commands may take; a bridge knows that by itself.
    pub(crate) fn set_clock_divider(&mut self, divider: ClockDivider) {
        if let Self::I2c(transport) = self {
            transport.set_clock_divider(divider);
        }
    }

    /// What has crossed the bus. Behind a bridge nobody counts but the wakes: one per request.
    pub(crate) fn statistics(&self) -> Statistics {
        match self {
            Self::I2c(transport) => transport.statistics(),
            Self::Link(bridge) => {
                let mut statistics = Statistics::default();
                statistics.wakes = bridge.requests();
                statistics
            }
        }
    }

    /// Lets go of what it is made of.
    pub(crate) fn close(&mut self) {
        match self {
            Self::I2c(transport) => *transport.bus_mut() = AnyBus::Closed,
            Self::Link(bridge) => bridge.close(),
        }
    }

    /// Takes the place of what was closed, and keeps what it knew.
    pub(crate) fn replace(&mut self, new: Self) {
        match (self, new) {
            (Self::I2c(old), Self::I2c(new)) => (*old.bus_mut(), _) = new.release(),
            (old, new) => *old = new,
        }
    }
}

impl Transport for Wire {
    type Error = TransportError;

    fn transact_attended(
        &mut self,
        commands: &[Packet],
        wanted: Wanted,
        responses: &mut Responses,
        attendant: &mut dyn Attendant,
    ) -> Result<usize, TransportError> {
        match self {
            Self::I2c(transport) => Ok(transport.transact_attended(commands, wanted, responses, attendant)?),
            Self::Link(bridge) => bridge.transact_attended(commands, wanted, responses, attendant),
        }
    }

    fn converse(
        &mut self,
        plan: &[Packet],
        attendant: &mut dyn Attendant,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), TransportError> {
        match self {
            Self::I2c(transport) => Ok(transport.converse(plan, attendant, next)?),
            Self::Link(bridge) => bridge.converse(plan, attendant, next),
        }
    }
}
