//! The seam between what is asked of the chip and the way there.

use heapless::Vec;

use crate::packet::{Packet, Response};

/// Most commands that one transaction may hold. The longest that the driver makes, the three certificate
/// slots, takes twelve.
pub const MAX_COMMANDS: usize = 16;

/// The answers of one transaction, in the order of its commands.
pub type Responses = Vec<Response, MAX_COMMANDS>;

/// A way to the chip: the I2C bus, a serial bridge, a socket.
///
/// One transaction is one wake of the chip, from sleep to sleep: nobody else's command comes between, and
/// nothing in the chip's memory outlives it but the EEPROM.
pub trait Transport {
    /// What can fail on this way.
    type Error;

    /// Wakes the chip, runs `commands` in order, appends each answer to `responses`, and puts the chip to sleep.
    ///
    /// It stops at the first answer that is an error status; that answer is the last of `responses`.
    /// `responses` is cleared first.
    ///
    /// # Errors
    /// When an answer could not be had. The chip is then asleep, or will be when its watchdog expires.
    fn transact(&mut self, commands: &[Packet], responses: &mut Responses) -> Result<(), Self::Error>;
}

impl<T: Transport + ?Sized> Transport for &mut T {
    type Error = T::Error;

    fn transact(&mut self, commands: &[Packet], responses: &mut Responses) -> Result<(), Self::Error> {
        (**self).transact(commands, responses)
    }
}
