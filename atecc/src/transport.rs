//! The seam between what is asked of the chip and the way there.

use heapless::Vec;

use crate::{
    link::Attendant,
    packet::{Packet, Response},
};

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

    /// Wakes the chip, runs `commands` in order, appends each answer to `responses`, and puts the chip to
    /// sleep.
    ///
    /// It stops at the first answer that is an error status; that answer is the last of `responses`.
    /// `responses` is cleared first.
    ///
    /// # Errors
    /// When an answer could not be had. The chip is then asleep, or will be when its watchdog expires.
    fn transact(&mut self, commands: &[Packet], responses: &mut Responses) -> Result<(), Self::Error>;

    /// As [`transact`](Self::transact), for a caller who needs the last answer only: `responses` then holds that
    /// one, and the number of commands that were answered is returned. A way on which bytes cost time does not
    /// carry the others.
    ///
    /// # Errors
    /// As [`transact`](Self::transact).
    fn transact_for_last(
        &mut self,
        commands: &[Packet],
        responses: &mut Responses,
    ) -> Result<usize, Self::Error> {
        self.transact(commands, responses)?;
        let answered = responses.len();
        if let Some(last) = responses.pop() {
            responses.clear();
            // Room for one where there were some.
            let _ = responses.push(last);
        }
        Ok(answered)
    }

    /// As [`transact`](Self::transact), or [`transact_for_last`](Self::transact_for_last) if `is_last_only`, with somebody
    /// to tell while a bridge on the way waits for a person, and who may take the request back. Returns how many commands
    /// were answered. A way without a bridge tells nothing.
    ///
    /// # Errors
    /// As [`transact`](Self::transact).
    fn transact_attended(
        &mut self,
        commands: &[Packet],
        is_last_only: bool,
        responses: &mut Responses,
        attendant: &mut dyn Attendant,
    ) -> Result<usize, Self::Error> {
        let _ = attendant;
        if is_last_only {
            self.transact_for_last(commands, responses)
        } else {
            self.transact(commands, responses).map(|()| responses.len())
        }
    }

    /// Wakes the chip, sends the packets that `next` gives one after the other, and puts the chip to sleep: the
    /// transaction of a sequence whose next packet depends on the last answer.
    ///
    /// `next` is first called with nothing, then with the answer to each packet. The conversation ends when it
    /// returns nothing, and after an answer that is an error status: `next` sees that one too, but what it
    /// returns then is not sent. `next` should be quick: the watchdog runs, 0.7 s at least from the wake
    /// (section 8.3).
    ///
    /// A conversation is never repeated by itself, since only the caller knows what its packets mean.
    ///
    /// # Errors
    /// When an answer could not be had, before a packet for which the watchdog leaves too little time, and when
    /// the chip says that it fell asleep meanwhile and the sequence is lost. The chip is then asleep, or will
    /// be when its watchdog expires.
    fn converse(
        &mut self,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), Self::Error>;

    /// As [`converse`](Self::converse), for a caller who knows which of the packets use a secret of the chip or change
    /// it: `plan`, in their order, of which 15 count, each whole or, where its data depends on answers,
    /// [without data](Packet::without_data). Where a person is to be asked, that is done before the chip wakes, since
    /// then it does not wait; `attendant` is told meanwhile.
    ///
    /// # Errors
    /// As [`converse`](Self::converse).
    fn converse_planned(
        &mut self,
        plan: &[Packet],
        attendant: &mut dyn Attendant,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), Self::Error> {
        let _ = (plan, attendant);
        self.converse(next)
    }
}

impl<T: Transport + ?Sized> Transport for &mut T {
    type Error = T::Error;

    fn transact(&mut self, commands: &[Packet], responses: &mut Responses) -> Result<(), Self::Error> {
        (**self).transact(commands, responses)
    }

    fn transact_for_last(
        &mut self,
        commands: &[Packet],
        responses: &mut Responses,
    ) -> Result<usize, Self::Error> {
        (**self).transact_for_last(commands, responses)
    }

    fn transact_attended(
        &mut self,
        commands: &[Packet],
        is_last_only: bool,
        responses: &mut Responses,
        attendant: &mut dyn Attendant,
    ) -> Result<usize, Self::Error> {
        (**self).transact_attended(commands, is_last_only, responses, attendant)
    }

    fn converse(
        &mut self,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), Self::Error> {
        (**self).converse(next)
    }

    fn converse_planned(
        &mut self,
        plan: &[Packet],
        attendant: &mut dyn Attendant,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), Self::Error> {
        (**self).converse_planned(plan, attendant, next)
    }
}
