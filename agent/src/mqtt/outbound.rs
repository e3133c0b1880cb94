//! The messages that the server has not acknowledged yet, in the order in which they were published.
//!
//! The MQTT library forgets what is in flight when the server does not resume the session, so this is kept
//! here, above it, and outlives every connection.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Acknowledgement;

/// A message on its way.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) topic: String,
    pub(super) payload: Bytes,
    pub(super) published: Instant,
    /// How often it was handed to a connection.
    pub(super) attempts: u32,
    pub(super) done: oneshot::Sender<Acknowledgement>,
    /// Its place in the bounded queue; free again as soon as the entry is gone.
    pub(super) _place: OwnedSemaphorePermit,
}

#[derive(Debug, Default)]
pub(super) struct Outbound {
    waiting: VecDeque<Entry>,
    in_flight: BTreeMap<u64, Entry>,
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
        Some((number, self.in_flight.entry(number).or_insert(entry)))
    }

    /// The server has the message: tells whoever waits for it, and forgets it.
    pub(super) fn acknowledged(&mut self, number: u64) {
        if let Some(Entry { published, attempts, done, .. }) = self.in_flight.remove(&number) {
            // Nobody needs to wait for it.
            let _ = done.send(Acknowledgement { took: published.elapsed(), attempts });
        }
    }

    /// The connection is gone: what was in flight goes back to the front, in its order.
    pub(super) fn connection_lost(&mut self) {
        for entry in std::mem::take(&mut self.in_flight).into_values().rev() {
            self.waiting.push_front(entry);
        }
    }

    /// Sent and not acknowledged.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Not acknowledged, sent or not.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.in_flight.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::sync::Semaphore;

    fn entry(topic: &str, places: &Arc<Semaphore>) -> (Entry, oneshot::Receiver<Acknowledgement>) {
        let (done, receipt) = oneshot::channel();
        let place = places.clone().try_acquire_owned().unwrap();
        let topic = topic.to_owned();
        let entry = Entry {
            topic,
            payload: Bytes::new(),
            published: Instant::now(),
            attempts: 0,
            done,
            _place: place,
        };
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
        outbound.connection_lost();
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
        assert_eq!((places.available_permits(), outbound.len()), (1, 0));
    }
}
