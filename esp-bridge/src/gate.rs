//! The session as `atecc::link` sees it: it decides what reaches the chip.

use core::time::Duration;

use atecc::{
    Status,
    link::{Asked, Decision, Fault, Gate, Verdict},
    packet::Response,
};

use crate::{
    policy::Refusal,
    screens,
    session::{Answer, Session},
    state::{Event, State},
    touch::{Press, QUESTION_LIMIT},
};

/// What a board has for people, and its clock.
pub trait Face {
    /// The time since any fixed moment.
    fn now(&mut self) -> Duration;

    /// What somebody did since the last call. Called about every 20 ms.
    fn press(&mut self) -> Option<Press>;

    /// Shows `session` on whatever there is. Called when something has changed, and before that something is
    /// waited for.
    fn show(&mut self, session: &Session, now: Duration);

    /// Lets lights go on with what they do. Called about every 20 ms, so it must be quick.
    fn animate(&mut self, session: &Session, now: Duration);

    /// Tells the watchdog that all is well. Called about every 20 ms, but not while the chip works: give it
    /// [`WATCHDOG`].
    fn feed(&mut self);
}

/// How long the firmware may be silent before something is wrong with it. Longer than the host waits, so that a slow
/// chip is reported and not cut off.
pub const WATCHDOG: Duration = Duration::from_secs(10);

/// A session with a face.
#[derive(Debug)]
pub struct Guard<F> {
    session: Session,
    face: F,
    shown: Option<(State, u64, u32)>,
}

impl<F: Face> Guard<F> {
    /// Between hosts and a chip that is not found yet.
    pub const fn new(session: Session, face: F) -> Self {
        Self { session, face, shown: None }
    }

    /// The session.
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// The session and the face; ends the use of this value.
    pub(crate) fn release(self) -> (Session, F) {
        (self.session, self.face)
    }

    /// The session and the face, to tell the one what the other's clock says.
    pub(crate) const fn parts(&mut self) -> (&mut Session, &mut F) {
        (&mut self.session, &mut self.face)
    }

    /// Whoever asked is gone, and with them the question.
    pub(crate) fn forsaken(&mut self) {
        let now = self.face.now();
        self.session.withdraw(Refusal::Cancelled, now);
    }

    /// Time passes and nobody asks.
    pub fn idle(&mut self) {
        self.face.feed();
        let now = self.face.now();
        let press = self.face.press();
        self.session.idle(press, now);
        self.show(now);
    }

    /// Shows what has changed, and nothing if nothing has: a display is slower than a signature.
    fn show(&mut self, now: Duration) {
        let seen = (self.session.state(), screens::tick(&self.session, now), self.session.signatures());
        if self.shown != Some(seen) {
            self.shown = Some(seen);
            self.face.show(&self.session, now);
        }
        self.face.animate(&self.session, now);
    }
}

impl<F: Face> Gate for Guard<F> {
    fn decide(&mut self, asked: &Asked<'_>) -> Decision {
        self.face.feed();
        let now = self.face.now();
        match self.session.request(asked.packets, asked.origin, now) {
            Answer::Go => {
                // The lights only: the display is drawn when the host has its answer.
                self.face.animate(&self.session, now);
                Decision::Allow
            }
            Answer::Wait => {
                self.show(now);
                self.session.question_shown(self.face.now());
                Decision::Ask(QUESTION_LIMIT)
            }
            Answer::No(refusal) => Decision::Refuse(fault(&refusal, asked)),
        }
    }

    fn verdict(&mut self, asked: &Asked<'_>, _left: Duration) -> Verdict {
        self.face.feed();
        let now = self.face.now();
        let press = self.face.press();
        let answer = self.session.answer(asked.packets, press, now);
        self.show(now);
        match answer {
            Answer::Go => Verdict::Allow,
            Answer::No(Refusal::Denied) => Verdict::Deny,
            // The limit of the link is the same one, and comes with the next call.
            Answer::Wait | Answer::No(_) => Verdict::Waiting,
        }
    }

    fn withdrawn(&mut self, _asked: &Asked<'_>, fault: Fault) {
        let now = self.face.now();
        let why = if fault == Fault::NotTouched { Refusal::TimedOut } else { Refusal::Cancelled };
        self.session.withdraw(why, now);
    }

    fn handed_over(&mut self) {
        self.session.handed_over();
    }

    fn done(&mut self, _asked: &Asked<'_>, answers: Result<&[Response], Fault>) {
        self.face.feed();
        let now = self.face.now();
        let succeeded = answers.is_ok_and(|answers| {
            answers.last().is_some_and(|last| last.status().is_none_or(|status| status == Status::Success))
        });
        self.session.done(succeeded, now);
        if !self.session.state().has_chip() {
            // Refused for that very reason; which of the reasons it is, the next look tells.
            return;
        }
        match answers {
            Err(Fault::NoChip | Fault::Wake(_)) => self.session.chip_lost(Event::ChipLost, now),
            Err(Fault::Bus | Fault::Damaged) => self.session.chip_lost(Event::BusFailed, now),
            _ => {}
        }
    }
}

/// What the host is told.
fn fault(refusal: &Refusal, asked: &Asked<'_>) -> Fault {
    match refusal {
        Refusal::NotOnTheList { opcode, .. } => Fault::Refused { opcode: *opcode },
        Refusal::Locked(request) => Fault::Refused { opcode: request.opcode },
        // The last command is the one that the others prepare.
        Refusal::NotThisKey { .. } => {
            Fault::Refused { opcode: asked.packets.last().map_or(0, atecc::packet::Packet::opcode) }
        }
        Refusal::Denied => Fault::Denied,
        Refusal::TimedOut | Refusal::TooLateToAsk => Fault::NotTouched,
        Refusal::Cancelled => Fault::Cancelled,
        Refusal::Busy => Fault::Busy,
        Refusal::NoChip => Fault::NoChip,
    }
}
