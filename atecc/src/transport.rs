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

/// Which answers of a transaction its caller looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All of them.
    All,
    /// The last one: a way on which bytes cost time does not carry the others.
    Last,
}

impl Wanted {
    /// For a way that has all answers in any case: leaves the wanted ones in `responses`, and returns how many there
    /// were.
    pub fn keep(self, responses: &mut Responses) -> usize {
        let answered = responses.len();
        if self == Self::Last {
            responses.drain(..answered.saturating_sub(1));
        }
        answered
    }
}

/// A way to the chip: the I2C bus, a serial bridge, a socket.
///
/// One transaction is one wake of the chip, from sleep to sleep: nobody else's command comes between, and
/// nothing in the chip's memory outlives it but the EEPROM. There are two kinds: a list of commands that is known
/// beforehand ([`transact_attended`](Self::transact_attended)), and a conversation ([`converse`](Self::converse)). A
/// transport that wraps another one hands both on with all they were given, and nothing gets lost on the way.
pub trait Transport {
    /// What can fail on this way.
    type Error;

    /// Wakes the chip, runs `commands` in order, at most [`MAX_COMMANDS`], and puts the chip to sleep. `responses` is
    /// cleared first, and then holds the `wanted` answers in the order of their commands. Returns how many commands were
    /// answered.
    ///
    /// It stops at the first answer that is an error status; that answer is the last of `responses`.
    ///
    /// `attendant` is told while a bridge on the way waits for a person, and may take the request back. A way without
    /// a bridge tells nothing.
    ///
    /// # Errors
    /// When an answer could not be had. The chip is then asleep, or will be when its watchdog expires.
    fn transact_attended(
        &mut self,
        commands: &[Packet],
        wanted: Wanted,
        responses: &mut Responses,
        attendant: &mut dyn Attendant,
    ) -> Result<usize, Self::Error>;

    /// Wakes the chip, sends the packets that `next` gives one after the other, and puts the chip to sleep: the
    /// transaction of a sequence whose next packet depends on the last answer.
    ///
    /// `next` is first called with nothing, then with the answer to each packet. The conversation ends when it
    /// returns nothing, and after an answer that is an error status: `next` sees that one too, but what it
    /// returns then is not sent. `next` should be quick: the watchdog runs, 0.7 s at least from the wake
    /// (section 8.3).
    ///
    /// `plan` says which of the packets use a secret of the chip or change it: those, in their order, of which 15
    /// count, each whole or, where its data depends on answers, [without data](Packet::without_data). Where a person is
    /// to be asked, that is done before the chip wakes, since then it does not wait; `attendant` is told meanwhile, and
    /// may take the request back. A conversation that uses and changes nothing has an empty plan.
    ///
    /// A conversation is never repeated by itself, since only the caller knows what its packets mean.
    ///
    /// # Errors
    /// When an answer could not be had, before a packet for which the watchdog leaves too little time, and when
    /// the chip says that it fell asleep meanwhile and the sequence is lost. The chip is then asleep, or will
    /// be when its watchdog expires.
    fn converse(
        &mut self,
        plan: &[Packet],
        attendant: &mut dyn Attendant,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), Self::Error>;

    /// As [`transact_attended`](Self::transact_attended), for a caller who wants all answers and waits for as long as
    /// it takes. It is made of that one; a transport has nothing to add.
    ///
    /// # Errors
    /// As [`transact_attended`](Self::transact_attended).
    fn transact(&mut self, commands: &[Packet], responses: &mut Responses) -> Result<(), Self::Error> {
        self.transact_attended(commands, Wanted::All, responses, &mut ()).map(|_| ())
    }
}

impl<T: Transport + ?Sized> Transport for &mut T {
    type Error = T::Error;

    fn transact_attended(
        &mut self,
        commands: &[Packet],
        wanted: Wanted,
        responses: &mut Responses,
        attendant: &mut dyn Attendant,
    ) -> Result<usize, Self::Error> {
        (**self).transact_attended(commands, wanted, responses, attendant)
    }

    fn converse(
        &mut self,
        plan: &[Packet],
        attendant: &mut dyn Attendant,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), Self::Error> {
        (**self).converse(plan, attendant, next)
    }
}
