//! Lock (section 5.1.3). Longest times: 35 ms at every clock divider.
//!
//! The data sheets of the pre-configured parts describe the slots only (section 5.1.3.1), since both zones are
//! locked when they leave the factory; the modes of the zones are those that the vendor's driver documents.

use super::{Command, ExecutionTime, success};
use crate::{
    ResponseError, Slot,
    irreversible::{Irreversible, LocksConfigurationZone, LocksDataZone, LocksSlot},
    packet::{Packet, Response},
};

const OPCODE: u8 = 0x17;
const EXECUTION_TIME: ExecutionTime = ExecutionTime { typical_us: 10_000, longest_ms: [35, 35, 35] };
/// Bit 7 of the mode: the summary is not looked at.
const NO_SUMMARY: u8 = 0x80;

/// Lock of the configuration zone (mode 0x00).
#[derive(Debug)]
pub struct LockConfiguration {
    /// The CRC-16 of the whole zone; the chip refuses if its zone has another.
    pub summary: u16,
    /// Consent.
    pub consent: Irreversible<LocksConfigurationZone>,
}

/// Lock of the data and OTP zones (mode 0x01, or 0x81 without summary).
#[derive(Debug)]
pub struct LockData {
    /// The CRC-16 of all slots followed by the OTP zone, if the caller knows them all.
    pub summary: Option<u16>,
    /// Consent.
    pub consent: Irreversible<LocksDataZone>,
}

/// Lock of one slot whose KeyConfig has Lockable set (mode 0x02, the slot in bits 5:2).
#[derive(Debug)]
pub struct LockSlot {
    /// The slot.
    pub slot: Slot,
    /// Consent.
    pub consent: Irreversible<LocksSlot>,
}

impl Command for LockConfiguration {
    const NAME: &'static str = "Lock";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = ();

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, 0x00, self.summary, &[], 1)
    }

    fn output(&self, response: &Response) -> Result<(), ResponseError> {
        success(response)
    }
}

impl Command for LockData {
    const NAME: &'static str = "Lock";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = ();

    fn packet(&self) -> Packet {
        match self.summary {
            Some(summary) => Packet::new(OPCODE, 0x01, summary, &[], 1),
            None => Packet::new(OPCODE, 0x01 | NO_SUMMARY, 0x0000, &[], 1),
        }
    }

    fn output(&self, response: &Response) -> Result<(), ResponseError> {
        success(response)
    }
}

impl Command for LockSlot {
    const NAME: &'static str = "Lock";
    const OPCODE: u8 = OPCODE;
    const EXECUTION_TIME: ExecutionTime = EXECUTION_TIME;
    type Output = ();

    fn packet(&self) -> Packet {
        Packet::new(OPCODE, 0x02 | self.slot.number() << 2, 0x0000, &[], 1)
    }

    fn output(&self, response: &Response) -> Result<(), ResponseError> {
        success(response)
    }
}
