//! A bus of this machine, through the kernel's i2c-dev.

use std::{io, path::Path};

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use i2cdev::{
    core::{I2CMessage, I2CTransfer},
    linux::{LinuxI2CBus, LinuxI2CError, LinuxI2CMessage},
};

/// The bus behind a device node, which is opened once.
///
/// The address goes with each message (I2C_RDWR), so no driver that the kernel has for it is in the way, and
/// nothing is opened again: what the lock is on is what is driven.
pub(crate) struct LinuxBus(LinuxI2CBus);

impl LinuxBus {
    /// Opens `node`.
    pub(crate) fn open(node: &Path) -> io::Result<Self> {
        LinuxI2CBus::new(node).map(Self).map_err(io::Error::from)
    }
}

impl ErrorType for LinuxBus {
    type Error = LinuxFault;
}

impl I2c for LinuxBus {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), LinuxFault> {
        let mut messages: Vec<LinuxI2CMessage<'_>> = operations
            .iter_mut()
            .map(|operation| match operation {
                Operation::Read(buffer) => LinuxI2CMessage::read(buffer),
                Operation::Write(bytes) => LinuxI2CMessage::write(bytes),
            })
            .map(|message| message.with_address(u16::from(address)))
            .collect();
        let expected = messages.len();
        let done = self.0.transfer(&mut messages).map_err(LinuxFault::Kernel)?;
        // Some adapters report a missing acknowledgement as fewer messages done, and no error.
        if usize::try_from(done) == Ok(expected) { Ok(()) } else { Err(LinuxFault::Incomplete) }
    }
}

/// What the kernel said of a transfer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinuxFault {
    /// An error; ENXIO, EREMOTEIO, EIO and ETIMEDOUT are an adapter's words for a missing acknowledgement.
    #[error(transparent)]
    Kernel(LinuxI2CError),
    /// Not all of the messages were transferred.
    #[error("the adapter did not finish the transfer")]
    Incomplete,
}

impl embedded_hal::i2c::Error for LinuxFault {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown)
    }
}
