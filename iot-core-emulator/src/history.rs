//! The history of events, and waiting in it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::event::Event;
use crate::{Timeout, lock};

/// How many events are kept; older ones are forgotten, so that a long demo does not fill the memory.
const KEPT: usize = 65_536;
/// How many events a [`Timeout`] shows.
const SHOWN: usize = 10;

/// The shared history.
#[derive(Debug, Default)]
pub(crate) struct History {
    kept: Mutex<Kept>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Kept {
    /// Number of the oldest event that is still kept.
    first: u64,
    events: VecDeque<Event>,
}

impl History {
    /// Records and logs an event.
    pub(crate) fn record(&self, event: Event) {
        tracing::info!("EMULATOR of IoT Core: {event}");
        let mut kept = lock(&self.kept);
        if kept.events.len() == KEPT {
            kept.events.pop_front();
            kept.first += 1;
        }
        kept.events.push_back(event);
        self.arrived.notify_all();
    }
}

/// A place in the history of events, see [`crate::IotCore::events`].
///
/// As an iterator it gives what has been recorded so far and then `None`; it gives more as soon as
/// more has happened. Clones are independent of each other.
#[derive(Clone, Debug)]
pub struct Events {
    history: Arc<History>,
    next: u64,
}

impl Events {
    /// From the oldest event on.
    pub(crate) fn of(history: Arc<History>) -> Self {
        Self { history, next: 0 }
    }

    /// Skips everything recorded so far.
    pub fn skip_recorded(&mut self) {
        let kept = lock(&self.history.kept);
        self.next = kept.first + kept.events.len() as u64;
    }

    /// Waits for the first event from here on that fits, and moves behind it.
    ///
    /// Blocks the calling thread; in asynchronous code call it through `spawn_blocking`.
    ///
    /// # Errors
    /// [`Timeout`] if none fits within `limit`; the place is then unchanged.
    pub fn wait_for(
        &mut self,
        limit: Duration,
        mut fits: impl FnMut(&Event) -> bool,
    ) -> Result<Event, Timeout> {
        let start = Instant::now();
        let mut kept = lock(&self.history.kept);
        let mut looked_at = self.next;
        loop {
            let from = looked_at.max(kept.first);
            let skip = usize::try_from(from - kept.first).unwrap_or(usize::MAX);
            for (number, event) in (from..).zip(kept.events.iter().skip(skip)) {
                looked_at = number + 1;
                if fits(event) {
                    self.next = looked_at;
                    return Ok(event.clone());
                }
            }
            let Some(left) = limit.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) else {
                let hidden = kept.events.len().saturating_sub(SHOWN);
                let newest = kept.events.iter().skip(hidden).cloned().collect();
                return Err(Timeout { waited: limit, newest });
            };
            kept = self.history.arrived.wait_timeout(kept, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let kept = lock(&self.history.kept);
        let number = self.next.max(kept.first);
        let event = kept.events.get(usize::try_from(number - kept.first).ok()?)?.clone();
        self.next = number + 1;
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;

    fn goodbye(connection: u64) -> Event {
        Event::Disconnected { connection, client_id: "c".to_owned(), reason: Reason::Goodbye }
    }

    fn is(number: u64) -> impl Fn(&Event) -> bool {
        move |event| matches!(event, Event::Disconnected { connection, .. } if *connection == number)
    }

    #[test]
    fn a_wait_moves_behind_what_it_found_and_stays_on_timeout() {
        let history = Arc::new(History::default());
        let mut events = Events::of(history.clone());
        (1..=3).for_each(|n| history.record(goodbye(n)));
        assert!(events.wait_for(Duration::ZERO, is(2)).is_ok());
        let timeout = events.wait_for(Duration::from_millis(5), is(1)).unwrap_err();
        assert_eq!(timeout.newest.len(), 3);
        assert_eq!(events.next(), Some(goodbye(3)));
        assert_eq!(events.next(), None);
    }

    #[test]
    fn a_wait_ends_when_another_thread_records() {
        let history = Arc::new(History::default());
        let mut events = Events::of(history.clone());
        let recorder = std::thread::spawn(move || history.record(goodbye(7)));
        assert!(events.wait_for(Duration::from_secs(10), is(7)).is_ok());
        recorder.join().unwrap();
    }

    #[test]
    fn old_events_are_forgotten() {
        let history = Arc::new(History::default());
        let mut events = Events::of(history.clone());
        (0..=KEPT as u64).for_each(|n| history.record(goodbye(n)));
        assert_eq!(events.next(), Some(goodbye(1)));
    }
}
