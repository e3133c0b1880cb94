//! What is taken, what is refused, and what is given up for it.

use std::time::{Duration, Instant};

use super::{Offer, Waiting, Writer};
use crate::mqtt::check_message;
use crate::outbox::message::{Record, is_too_old, now_ms, size};
use crate::outbox::quarantine::Care;
use crate::outbox::{Refusal, WhenFull};

/// How often it is looked for messages that have waited too long, at least and at most.
const EXPIRY_LEAST: Duration = Duration::from_millis(50);
const EXPIRY_MOST: Duration = Duration::from_secs(60);
/// Bytes of them that are read at once.
const EXPIRY_BYTES: u64 = 512 * 1024;

impl Writer {
    pub(super) fn offer(&mut self, offer: Offer) {
        let Offer { topic, payload, offered, reply, done, place } = offer;
        match self.admit(&topic, &payload) {
            Err(refusal) => {
                if !matches!(refusal, Refusal::Quarantined(_)) {
                    self.refuse(refusal.clone());
                }
                let _ = reply.send(Err(refusal));
            }
            Ok(()) => {
                self.last += 1;
                self.new_bytes += size(&topic, &payload);
                self.new.push((self.last, Record { taken_ms: now_ms(), topic, payload }));
                self.waiting.push(Waiting { offered, reply, done, place });
            }
        }
    }

    fn admit(&mut self, topic: &str, payload: &[u8]) -> Result<(), Refusal> {
        if let Err(error) = check_message(topic, payload) {
            let problem = error.to_string();
            self.last += 1;
            self.quarantine(self.last, (topic, payload), &problem, Care::Refused);
            return Err(Refusal::Quarantined(problem));
        }
        let Some(store) = &self.store else {
            return Err(self.refusing.clone().unwrap_or(Refusal::Ended));
        };
        let most_bytes = self.options.most_bytes;
        let wanted = store.totals().bytes + self.new_bytes + size(topic, payload);
        let over = wanted.saturating_sub(self.removals.freed).saturating_sub(most_bytes);
        if over > 0 && (self.options.when_full == WhenFull::Refuse || !self.give_up(over)) {
            return Err(Refusal::Full { most_bytes });
        }
        Ok(())
    }

    /// Gives up the oldest messages that are not about to be sent, `bytes` or more. Whether there were as many.
    fn give_up(&mut self, bytes: u64) -> bool {
        let Some(store) = &self.store else { return false };
        let newest = self.removals.newest();
        // Some more at once, so that a full outbox does not look for the oldest again for each message.
        let wanted = bytes.max(self.options.most_bytes / 100);
        let mut freed = 0;
        let enough = |record: &Record| {
            freed += record.size();
            freed >= wanted
        };
        let Ok(extract) = store.read(self.shared.loaded().max(newest), enough) else { return false };
        let count = u64::try_from(extract.records.len()).unwrap_or(u64::MAX);
        for (number, _) in &extract.records {
            self.removals.add(*number);
        }
        self.removals.freed += freed;
        self.drop_some("the outbox was full", count);
        freed >= bytes
    }

    /// Gives up what has waited too long, connected or not: it must not take the room of what is new.
    pub(super) fn expire(&mut self) {
        let Some(longest) = self.options.longest_wait else { return };
        let longest_ms = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        let mut next = Instant::now() + (longest / 8).clamp(EXPIRY_LEAST, EXPIRY_MOST);
        for (number, size) in self.shared.expire(longest_ms) {
            self.too_old(number, u64::try_from(size).unwrap_or(0));
        }
        // What lies behind messages that may still be sent is younger than they are.
        if self.shared.is_empty()
            && let Some(store) = &self.store
        {
            let after = self.shared.loaded().max(self.removals.newest());
            let mut bytes = 0;
            let enough = |record: &Record| {
                bytes += record.size();
                bytes > EXPIRY_BYTES || !is_too_old(record.taken_ms, longest_ms)
            };
            let Ok(extract) = store.read(after, enough) else { return };
            let old = |record: &Record| is_too_old(record.taken_ms, longest_ms);
            for (number, record) in extract.records.into_iter().filter(|(_, record)| old(record)) {
                self.too_old(number, record.size());
            }
            if bytes > EXPIRY_BYTES {
                next = Instant::now();
            }
        }
        self.expire = Some(next);
    }

    pub(super) fn too_old(&mut self, number: u64, size: u64) {
        self.removals.add(number);
        self.removals.freed += size;
        self.drop_some("older than `hours` in [outbox] allows", 1);
    }

    fn drop_some(&mut self, reason: &'static str, messages: u64) {
        match self.dropped.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += messages,
            None => self.dropped.push((reason, messages)),
        }
    }
}
