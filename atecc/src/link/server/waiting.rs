//! A host that waits for a person, and is told so.

use core::{ops::ControlFlow, time::Duration};

use super::is_stale;
use crate::link::{
    Attendant, FrameWriter, Incoming, Kind, Progress, Receiver, Stream,
    message::{begin, split},
};

/// The host of one request that is not answered yet.
pub(super) struct Waiting<'a, S: Stream> {
    pub(super) stream: &'a mut S,
    pub(super) receiver: &'a mut Receiver,
    /// Where messages are written.
    pub(super) answer: &'a mut FrameWriter,
    /// Takes what comes from another host.
    pub(super) pending: &'a mut Option<Incoming>,
    /// Of the request; a host that speaks text has none, and is told nothing.
    pub(super) sequence: Option<u32>,
    /// Set when the stream fails.
    pub(super) error: Option<S::Error>,
}

/// What came from the line meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing that matters.
    Nothing,
    /// The same request again.
    Again,
    /// The host took its request back, or somebody else talks, or the same host after a restart.
    Gone,
}

impl<S: Stream> Waiting<'_, S> {
    /// Tells the host.
    pub(super) fn tell(&mut self, progress: Progress) -> Result<(), S::Error> {
        let Some(sequence) = self.sequence else { return Ok(()) };
        begin(self.answer, Kind::Progress, sequence);
        progress.write(self.answer);
        self.answer.end();
        self.stream.write(self.answer.frame())
    }

    /// Listens for `limit`, or until something comes.
    pub(super) fn listen(&mut self, limit: Duration) -> Result<Heard, S::Error> {
        let Some(incoming) = self.receiver.receive(self.stream, limit)? else { return Ok(Heard::Nothing) };
        Ok(match split(self.receiver.payload()) {
            Some((code, of, _)) if incoming == Incoming::Frame && Some(of) == self.sequence => {
                if code == Kind::Cancel.code() { Heard::Gone } else { Heard::Again }
            }
            Some((_, of, _)) if self.sequence.is_some_and(|newest| is_stale(newest, of)) => Heard::Nothing,
            _ => {
                *self.pending = Some(incoming);
                Heard::Gone
            }
        })
    }
}

/// Passes on what another bridge on the way to the chip reports.
impl<S: Stream> Attendant for Waiting<'_, S> {
    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        match self.tell(progress).and_then(|()| self.listen(Duration::ZERO)) {
            Ok(Heard::Gone) => ControlFlow::Break(()),
            Ok(_) => ControlFlow::Continue(()),
            Err(error) => {
                self.error = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}
