//! One request and its answer, over a stream that may lose either.

use core::time::Duration;

use super::{Attendant, Client, Error};
use crate::link::{
    FrameWriter, Incoming, Kind, PROGRESS_LIMIT, Progress, Stream,
    message::{AGAIN, begin, split},
};

/// How long a cancelled request may take to be given up by the far end.
const CANCEL_LIMIT: Duration = Duration::from_secs(1);

impl<S: Stream, A: Attendant> Client<S, A> {
    /// Sends the request that `body` writes, again after each `wait`, until its answer is in the receiver or
    /// `limit` is over. `attendant` is told as this client's own one is. `body` is given the flag of a repetition that must not be executed twice.
    pub(super) fn exchange(
        &mut self,
        kind: Kind,
        is_repeatable: bool,
        wait: Duration,
        limit: Duration,
        attendant: &mut dyn Attendant,
        body: impl Fn(&mut FrameWriter, u8),
    ) -> Result<(), Error<S::Error>> {
        self.sequence = self.sequence.wrapping_add(1);
        self.counters.requests += 1;
        let start = self.stream.now();
        let mut end = start + limit;
        let mut is_cancelled = false;
        for attempt in 0.. {
            let again = if attempt > 0 && !is_repeatable { AGAIN } else { 0 };
            self.attempts = attempt + 1;
            self.counters.repeats += u64::from(attempt > 0);
            begin(&mut self.request, kind, self.sequence);
            body(&mut self.request, again);
            self.request.end();
            if self.request.frame().is_empty() {
                return Err(Error::TooLarge);
            }
            let written = self.stream.write(self.request.frame());
            self.request.clear();
            written.map_err(Error::Stream)?;
            let mut repeat = self.stream.now() + wait;
            loop {
                let now = self.stream.now();
                if now >= end {
                    let waited_ms = now.saturating_sub(start).as_millis() as u32;
                    return Err(if is_cancelled { Error::Cancelled } else { Error::NoAnswer { waited_ms } });
                }
                if now >= repeat {
                    break;
                }
                let left = repeat.min(end).saturating_sub(now);
                let incoming = self.receiver.receive(&mut self.stream, left).map_err(Error::Stream)?;
                match incoming.map(|_| self.heard(incoming)) {
                    Some(Heard::Answer) => return Ok(()),
                    Some(Heard::Fault(fault)) => return Err(Error::Fault(fault)),
                    Some(Heard::Progress(_)) if is_cancelled => {}
                    Some(Heard::Progress(progress)) => {
                        let now = self.stream.now();
                        end = now + PROGRESS_LIMIT;
                        repeat = now + PROGRESS_LIMIT / 2;
                        let (own, other) = (self.attendant.progress(progress), attendant.progress(progress));
                        if own.is_break() || other.is_break() {
                            is_cancelled = true;
                            end = now + CANCEL_LIMIT;
                            begin(&mut self.request, Kind::Cancel, self.sequence);
                            self.request.end();
                            self.stream.write(self.request.frame()).map_err(Error::Stream)?;
                        }
                    }
                    Some(Heard::Other) | None => {}
                }
            }
        }
        Err(Error::TooLarge)
    }

    /// What came in, as far as it concerns the present request.
    fn heard(&self, incoming: Option<Incoming>) -> Heard {
        if incoming != Some(Incoming::Frame) {
            return Heard::Other;
        }
        let Some((code, sequence, body)) = split(self.receiver.payload()) else { return Heard::Other };
        if sequence != self.sequence {
            return Heard::Other;
        }
        match Kind::from_code(code) {
            Some(Kind::Answer | Kind::Welcome) => Heard::Answer,
            Some(Kind::Fault) => body
                .first_chunk()
                .map_or(Heard::Other, |fault| Heard::Fault(crate::link::Fault::from_bytes(*fault))),
            Some(Kind::Progress) => Progress::read(body).map_or(Heard::Other, Heard::Progress),
            _ => Heard::Other,
        }
    }
}

enum Heard {
    Answer,
    Fault(crate::link::Fault),
    Progress(Progress),
    /// Not for us, or nothing that we know.
    Other,
}
