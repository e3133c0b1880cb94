//! The main loop of every board.

use core::time::Duration;

use atecc::{
    Device, Error, Transport, i2c,
    link::{About, AsFault, Server, Stream},
};
use embedded_hal::i2c::ErrorKind;

use crate::{
    gate::{Face, Guard},
    identity,
    session::Session,
    state::{Event, State},
};

/// A chip that is not there is looked for this often.
pub const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// An error of a transport that can tell a bus which does not work from a chip that does not answer.
pub trait Trouble {
    /// Whether the bus itself failed.
    fn is_bus_fault(&self) -> bool;
}

impl<B: embedded_hal::i2c::Error> Trouble for i2c::Error<B> {
    fn is_bus_fault(&self) -> bool {
        match self {
            Self::Bus(source) | Self::NoAnswer { source: Some(source), .. } => {
                !matches!(source.kind(), ErrorKind::NoAcknowledge(_))
            }
            Self::Damaged(_) => true,
            _ => false,
        }
    }
}

/// A chip, a face and whoever talks through the stream.
pub struct Firmware<'a, T, F> {
    about: About<'a>,
    server: Server<'a>,
    chip: Device<T>,
    guard: Guard<F>,
    look_at: Duration,
}

impl<'a, T, F> Firmware<'a, T, F>
where
    T: Transport,
    T::Error: AsFault + Trouble,
    F: Face,
{
    /// A device that was just switched on; nothing has been sent to the chip yet.
    pub const fn new(about: About<'a>, chip: T, session: Session, face: F) -> Self {
        Self {
            about,
            server: Server::new(about),
            chip: Device::new(chip),
            guard: Guard::new(session, face),
            look_at: Duration::ZERO,
        }
    }

    /// The session.
    pub const fn session(&self) -> &Session {
        self.guard.session()
    }

    /// Looks for the chip if it is not known or was changed, answers one request if one comes, and looks after the face. Takes about
    /// 20 ms when nobody asks.
    ///
    /// A stream that fails is begun anew: a host may be plugged in and out as it likes.
    pub fn poll<S: Stream>(&mut self, stream: &mut S) {
        let session = self.guard.session();
        if session.is_outdated() || !session.state().has_chip() {
            self.look();
        }
        if self.server.poll(stream, self.chip.transport_mut(), &mut self.guard).is_err() {
            self.server = Server::new(self.about);
            self.guard.forsaken();
        }
        self.guard.idle();
    }

    /// [`poll`](Self::poll), until the bus of the chip has failed for a while. The board then frees the bus, which it
    /// cannot do while the transport has it, and begins anew with what it gets back.
    pub fn run<S: Stream>(mut self, stream: &mut S) -> (Session, F) {
        loop {
            self.poll(stream);
            let now = self.guard.parts().1.now();
            let session = self.guard.session();
            if session.state() == State::BusFault && now.saturating_sub(session.changed()) >= LOOK_AGAIN {
                return self.guard.release();
            }
        }
    }

    fn look(&mut self) {
        self.guard.idle();
        let (session, face) = self.guard.parts();
        if !session.is_outdated() && face.now() < self.look_at {
            return;
        }
        let found = identity::read(&mut self.chip);
        let now = face.now();
        face.feed();
        match found {
            Ok((identity, keys)) => session.chip_found(identity, keys, now),
            Err(Error::Transport(error)) if error.is_bus_fault() => {
                session.chip_lost(Event::BusFailed, now);
            }
            Err(_) => session.chip_lost(Event::ChipLost, now),
        }
        self.look_at = now + LOOK_AGAIN;
    }
}
