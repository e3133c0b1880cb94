//! Messages that the server has not acknowledged yet, in the order in which they were published.
//!
//! The MQTT library forgets what is in flight when the server does not resume the session, so this is kept
//! here, above it, and outlives every connection.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Acknowledgement;
use super::window::Window;
use crate::outbox::Stored;

/// Cuts without progress after which the first message in flight is sent alone.
const SUSPICIOUS: u32 = 2;
/// Cuts, some of them while the message was alone in flight, after which it is the message's fault.
const GUILTY: u32 = 5;

/// A message on its way.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) topic: String,
    pub(super) payload: Bytes,
    /// How often it was handed to a connection.
    pub(super) attempts: u32,
    /// Connections that the server cut while this was the first message without acknowledgement.
    pub(super) cuts: u32,
    pub(super) origin: Origin,
}

/// Where a message came from, and goes back to.
#[derive(Debug)]
pub(super) enum Origin {
    /// Somebody in this process, whom the acknowledgement is told.
    Memory {
        published: Instant,
        done: oneshot::Sender<Acknowledgement>,
        /// Its place in the bounded queue; free again as soon as the entry is gone.
        _place: OwnedSemaphorePermit,
    },
    /// The outbox.
    Outbox(Stored),
}

/// How a message ended.
#[derive(Debug)]
pub(super) enum Settled {
    /// The server has it.
    Delivered(Stored, u32),
    /// Nothing is left to do.
    Done,
}

/// A message without acknowledgement, and since when.
#[derive(Debug)]
struct Sent {
    entry: Entry,
    at: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Outbound {
    waiting: VecDeque<Entry>,
    in_flight: BTreeMap<u64, Sent>,
    in_flight_bytes: usize,
    window: Window,
    next_number: u64,
}

impl Outbound {
    pub(super) fn push(&mut self, entry: Entry) {
        self.waiting.push_back(entry);
    }

    /// Takes the next message to send, if any waits, and remembers it under a number.
    pub(super) fn send_next(&mut self) -> Option<(u64, &Entry)> {
        let mut entry = self.waiting.pop_front()?;
        entry.attempts += 1;
        let number = self.next_number;
        self.next_number += 1;
        self.in_flight_bytes += entry.size();
        let sent = Sent { entry, at: Instant::now() };
        Some((number, &self.in_flight.entry(number).or_insert(sent).entry))
    }

    /// The server has the message: tells whoever waits for it, and forgets it.
    pub(super) fn acknowledged(&mut self, number: u64) -> Settled {
        let Some(Sent { entry, at }) = self.in_flight.remove(&number) else { return Settled::Done };
        self.in_flight_bytes -= entry.size();
        self.window.acknowledged(entry.size(), at.elapsed());
        match entry.origin {
            Origin::Memory { published, done, .. } => {
                // Nobody needs to wait for it.
                let _ = done.send(Acknowledgement { took: published.elapsed(), attempts: entry.attempts });
                Settled::Done
            }
            Origin::Outbox(stored) => Settled::Delivered(stored, entry.attempts),
        }
    }

    /// The server does not take the message: it is nothing of ours any more.
    pub(super) fn refused(&mut self, number: u64) -> Option<Entry> {
        let Sent { entry, .. } = self.in_flight.remove(&number)?;
        self.in_flight_bytes -= entry.size();
        Some(entry)
    }

    /// The server does not take the message now: it is the next to be sent.
    pub(super) fn put_back(&mut self, number: u64) {
        if let Some(entry) = self.refused(number) {
            self.waiting.push_front(entry);
        }
    }

    /// The connection is gone: what was in flight goes back to the front, in its order. `cut`: by the server, which may
    /// have done so because of the first of them. Gives that message if it has done so often enough.
    pub(super) fn connection_lost(&mut self, cut: bool) -> Option<Entry> {
        let in_flight = std::mem::take(&mut self.in_flight);
        self.in_flight_bytes = 0;
        self.window = Window::default();
        let none = in_flight.is_empty();
        for Sent { entry, .. } in in_flight.into_values().rev() {
            self.waiting.push_front(entry);
        }
        let first = self.waiting.front_mut().filter(|_| cut && !none)?;
        first.cuts += 1;
        if first.cuts >= GUILTY { self.waiting.pop_front() } else { None }
    }

    /// Whether the next message is to be sent alone, since the server may be cutting for it.
    pub(super) fn is_suspicious(&self) -> bool {
        let sent = self.in_flight.values().next().map(|sent| &sent.entry);
        let first = sent.or(self.waiting.front());
        first.is_some_and(|entry| entry.cuts >= SUSPICIOUS)
    }

    /// Sent and not acknowledged.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether the line has room for more.
    pub(super) fn has_room(&self) -> bool {
        self.in_flight_bytes < self.window.bytes()
    }

    /// Whether a message waits to be sent.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Messages that only this process knows, and whose end it must wait for; and all that are in flight.
    pub(super) fn unfinished(&self) -> usize {
        let here = self.waiting.iter().filter(|entry| matches!(entry.origin, Origin::Memory { .. })).count();
        here + self.in_flight.len()
    }

    /// Those of them that are not in the outbox.
    pub(super) fn in_memory(&self) -> usize {
        let all = self.waiting.iter().chain(self.in_flight.values().map(|sent| &sent.entry));
        all.filter(|entry| matches!(entry.origin, Origin::Memory { .. })).count()
    }
}

impl Entry {
    /// A message of the outbox.
    pub(super) fn stored(stored: Stored) -> Self {
        let (topic, payload) = (stored.topic.to_string(), stored.payload.clone());
        Self { topic, payload, attempts: 0, cuts: 0, origin: Origin::Outbox(stored) }
    }

    fn size(&self) -> usize {
        self.topic.len() + self.payload.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::sync::Semaphore;

    fn entry(topic: &str, places: &Arc<Semaphore>) -> (Entry, oneshot::Receiver<Acknowledgement>) {
        let (done, receipt) = oneshot::channel();
        let _place = places.clone().try_acquire_owned().unwrap();
        let origin = Origin::Memory { published: Instant::now(), done, _place };
        let entry = Entry { topic: topic.to_owned(), payload: Bytes::new(), attempts: 0, cuts: 0, origin };
        (entry, receipt)
    }

    fn send(outbound: &mut Outbound) -> Option<(u64, String)> {
        outbound.send_next().map(|(number, entry)| (number, entry.topic.clone()))
    }

    #[test]
    fn what_was_in_flight_is_sent_again_first_and_in_order() {
        let places = Arc::new(Semaphore::new(9));
        let mut outbound = Outbound::default();
        let mut receipts = Vec::new();
        for topic in ["a", "b", "c", "d"] {
            let (entry, receipt) = entry(topic, &places);
            outbound.push(entry);
            receipts.push(receipt);
        }
        let sent: Vec<_> = (0..3).filter_map(|_| send(&mut outbound)).collect();
        outbound.acknowledged(sent[1].0);
        assert_eq!(outbound.in_flight(), 2);
        assert!(outbound.connection_lost(false).is_none());
        let again: Vec<_> = std::iter::from_fn(|| send(&mut outbound)).collect();
        assert_eq!(again.iter().map(|(_, topic)| topic.as_str()).collect::<String>(), "acd");
        outbound.acknowledged(again[0].0);
        assert_eq!(receipts[1].try_recv().unwrap().attempts, 1);
        assert_eq!(receipts[0].try_recv().unwrap().attempts, 2);
        assert!(receipts[2].try_recv().is_err());
    }

    #[test]
    fn a_place_is_free_again_when_the_message_is_gone() {
        let places = Arc::new(Semaphore::new(1));
        let mut outbound = Outbound::default();
        outbound.push(entry("a", &places).0);
        assert_eq!(places.available_permits(), 0);
        let (number, _) = send(&mut outbound).unwrap();
        outbound.acknowledged(number);
        assert_eq!((places.available_permits(), outbound.unfinished()), (1, 0));
    }

    #[test]
    fn only_the_message_that_is_cut_for_again_and_again_is_given_up() {
        let places = Arc::new(Semaphore::new(9));
        let mut outbound = Outbound::default();
        for topic in ["bad", "good"] {
            outbound.push(entry(topic, &places).0);
        }
        for cut in 1..=GUILTY {
            send(&mut outbound).unwrap();
            if cut <= SUSPICIOUS {
                send(&mut outbound).unwrap();
            }
            let given_up = outbound.connection_lost(true);
            assert_eq!(outbound.is_suspicious(), (SUSPICIOUS..GUILTY).contains(&cut), "{cut}");
            assert_eq!(given_up.map(|entry| entry.topic), (cut == GUILTY).then(|| "bad".to_owned()));
            // A connection that broke by itself, or before anything was sent, is nobody's fault.
            assert!(outbound.connection_lost(true).is_none());
        }
        assert_eq!(send(&mut outbound).unwrap().1, "good");
    }
}
