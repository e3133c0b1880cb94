//! What the device is doing, and what makes it do something else.

use crate::policy::{Refusal, Request};

/// What the device is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It looks for the chip.
    #[default]
    Boot,
    /// It waits for a host.
    Ready,
    /// It waits for a finger.
    Asking(Request),
    /// The chip works.
    Signing(Request),
    /// It shows why it refused; the host has its answer already.
    Refused(Refusal),
    /// Nothing answers at the chip's address.
    ChipMissing,
    /// A line of the bus is held low, or answers come damaged.
    BusFault,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The chip answered with what the device needs to know of it.
    ChipFound,
    /// It did not answer.
    ChipLost,
    /// The bus does not work.
    BusFailed,
    /// A host asked for something that needs a touch.
    Asked(Request),
    /// The chip was given work that was allowed, by a finger or by the policy.
    Started(Request),
    /// The chip is done with it.
    Done,
    /// A request was refused.
    Refused(Refusal),
    /// A while has passed in which nothing happened.
    Rested,
}

impl State {
    /// The state after `event`. An event that means nothing in a state leaves it as it is.
    #[must_use]
    pub const fn after(self, event: Event) -> Self {
        match (self, event) {
            // Whatever it was doing, without the chip there is nothing to do.
            (_, Event::ChipLost) => Self::ChipMissing,
            (_, Event::BusFailed) => Self::BusFault,
            (Self::Boot | Self::ChipMissing | Self::BusFault, Event::ChipFound) => Self::Ready,
            (Self::Boot | Self::ChipMissing | Self::BusFault, _) => self,
            (_, Event::Asked(request)) => Self::Asking(request),
            (_, Event::Started(request)) => Self::Signing(request),
            (Self::Ready | Self::Asking(_) | Self::Refused(_), Event::Refused(refusal)) => {
                Self::Refused(refusal)
            }
            (Self::Signing(_), Event::Done) | (Self::Refused(_), Event::Rested) => Self::Ready,
            (_, Event::ChipFound | Event::Done | Event::Refused(_) | Event::Rested) => self,
        }
    }

    /// Whether the chip is there, as far as is known.
    pub const fn has_chip(&self) -> bool {
        !matches!(self, Self::Boot | Self::ChipMissing | Self::BusFault)
    }
}
