//! Who may have what from the chip: the place where firmware has its say.

use super::Fault;
use crate::packet::{Packet, Response};

/// Decides about every command before it reaches the chip, whichever protocol it came by.
///
/// It decides on decoded packets and never on a text from the host. The default methods let everything pass and
/// nobody wait: see [`Open`].
pub trait Gate {
    /// What shall happen to `asked`. Nothing has been sent to the chip yet.
    fn decide(&mut self, asked: &Asked<'_>) -> Decision {
        let _ = asked;
        Decision::Allow
    }

    /// After [`Decision::Ask`]: what the person at the device says. Called about every 20 ms, with the time that is
    /// left, until it is no longer [`Verdict::Waiting`].
    fn verdict(&mut self, asked: &Asked<'_>, left: core::time::Duration) -> Verdict {
        let _ = (asked, left);
        Verdict::Allow
    }

    /// Whoever asked does not wait any more, or the time is over: take the question off the screen.
    fn withdrawn(&mut self, asked: &Asked<'_>, fault: Fault) {
        let _ = (asked, fault);
    }

    /// Somebody else talks from now on: another host, or one that speaks the other protocol. The chip sleeps, and what was
    /// loaded over text is forgotten.
    fn handed_over(&mut self) {}

    /// The chip has answered, with `answers` in the order of the packets, or there is a fault. Also called with the
    /// fault when [`decide`](Self::decide) or [`verdict`](Self::verdict) said no.
    fn done(&mut self, asked: &Asked<'_>, answers: Result<&[Response], Fault>) {
        let _ = (asked, answers);
    }
}

/// Lets everything pass: for hosts that serve their own chip to others.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open;

impl Gate for Open {}

impl<G: Gate + ?Sized> Gate for &mut G {
    fn decide(&mut self, asked: &Asked<'_>) -> Decision {
        (**self).decide(asked)
    }

    fn verdict(&mut self, asked: &Asked<'_>, left: core::time::Duration) -> Verdict {
        (**self).verdict(asked, left)
    }

    fn withdrawn(&mut self, asked: &Asked<'_>, fault: Fault) {
        (**self).withdrawn(asked, fault);
    }

    fn handed_over(&mut self) {
        (**self).handed_over();
    }

    fn done(&mut self, asked: &Asked<'_>, answers: Result<&[Response], Fault>) {
        (**self).done(asked, answers);
    }
}

/// What somebody wants from the chip.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The commands, in order. At the beginning of a lease: the first, and behind it those that the host says the lease
    /// is for, without data where that is not known yet. Then one at a time, and it is for the gate to see that nothing
    /// comes that was not said.
    pub packets: &'a [Packet],
    /// How they came.
    pub origin: Origin,
}

/// How commands came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A transaction: these commands and no others, from sleep to sleep.
    Transaction,
    /// The first command of a lease, and what the lease is for. Who wants to ask for a touch does it here, for all of
    /// it: the chip does not wait for one once it is awake.
    LeaseBegin,
    /// A further command of a lease. [`Decision::Ask`] refuses it.
    LeaseNext,
    /// Microchip's text protocol. A digest that was loaded and the command that uses it come together.
    Kit,
}

/// What shall happen to commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The chip gets them.
    Allow,
    /// Somebody must touch the device first, within this time (at most [`TOUCH_LIMIT`](super::TOUCH_LIMIT)).
    Ask(core::time::Duration),
    /// The chip does not get them. [`Fault::Refused`] with the opcode in question is the usual fault.
    Refuse(Fault),
}

/// What the person at the device says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet.
    Waiting,
    /// Yes.
    Allow,
    /// No.
    Deny,
}
