//! What is written, read again, and done when that fails.

use std::time::Instant;

use super::{RETRY, Writer};
use crate::outbox::feed::Shared;
use crate::outbox::quarantine::Care;
use crate::outbox::store::{Change, Failure, Store, set_aside};
use crate::outbox::{Notice, Refusal, Status};

/// The problem of a message that this version cannot read.
const FOREIGN: &str = "it is not in the form of this version of the agent; did a newer one write it?";

impl Writer {
    pub(super) fn commit(&mut self) {
        let (new, waiting) = (std::mem::take(&mut self.new), std::mem::take(&mut self.waiting));
        let new_bytes = std::mem::take(&mut self.new_bytes);
        let Some(store) = &mut self.store else {
            let refusal = self.refusing.clone().unwrap_or(Refusal::Ended);
            waiting.into_iter().for_each(|waiting| drop(waiting.reply.send(Err(refusal.clone()))));
            return;
        };
        // No room for new ones is no reason to keep what the server has.
        let room = new.is_empty() || store.has_room(new_bytes);
        let insert = if room { new.as_slice() } else { &[] };
        let result = store.commit(&Change { insert, remove: &self.removals.numbers });
        let totals = store.totals();
        let result = match result {
            Ok(()) => {
                let removed = std::mem::take(&mut self.removals);
                let status = Status { messages: totals.messages, bytes: totals.bytes, ..Status::default() };
                let (mut replies, mut receipts) = (Vec::new(), Vec::new());
                let numbers: Vec<u64> = new.iter().map(|(number, _)| *number).collect();
                for (number, waiting) in numbers.into_iter().zip(waiting) {
                    if let (true, Some(done)) = (room, waiting.done) {
                        receipts.push((number, waiting.offered, done));
                    }
                    replies.push((number, waiting.reply, waiting.place));
                }
                let new = if room { new } else { Vec::new() };
                let taken = !new.is_empty();
                self.shared.committed(removed.settled, new, receipts.into_iter(), status);
                for (number, reply, _place) in replies {
                    // Whoever offered it may have gone.
                    let _ = reply.send(if room { Ok(number) } else { Err(Refusal::DiskFull) });
                }
                // Not back and forth while a full outbox drains.
                if taken && self.refusing.is_some() && self.refused.elapsed() >= RETRY {
                    self.refusing = None;
                    self.tell(Notice::Taking);
                }
                if room { Ok(()) } else { Err(Refusal::DiskFull) }
            }
            Err(failure) => {
                self.failed(failure);
                let refusal = self.refusing.clone().unwrap_or(Refusal::Ended);
                waiting.into_iter().for_each(|waiting| drop(waiting.reply.send(Err(refusal.clone()))));
                Ok(())
            }
        };
        if let Err(refusal) = result {
            self.refuse(refusal);
        }
    }

    /// Gives the room of a backlog that is gone back to the file system.
    pub(super) fn give_back(&mut self) {
        if self.store.as_ref().is_some_and(Store::is_wasteful)
            && let Some(store) = self.store.take()
        {
            match store.renewed() {
                Ok(store) => self.store = Some(store),
                Err(failure) => self.failed(failure),
            }
        }
    }

    /// The database has failed: it is closed, and tried again after a while. What it held is still there.
    pub(super) fn failed(&mut self, failure: Failure) {
        self.store = None;
        self.retry = Instant::now() + RETRY;
        let refusal = match failure {
            Failure::DiskFull => Refusal::DiskFull,
            Failure::InUse => Refusal::Storage("another process uses it".to_owned()),
            Failure::Damaged(problem) | Failure::Other(problem) => Refusal::Storage(problem),
        };
        self.refuse(refusal);
    }

    pub(super) fn reopen(&mut self) -> Result<(), Failure> {
        let store = match Store::open(self.options.folder.as_deref()) {
            Err(Failure::Damaged(problem)) => {
                let Some(folder) = &self.options.folder else { return Err(Failure::Damaged(problem)) };
                let file = set_aside(folder).map_err(|error| Failure::Other(error.to_string()))?;
                self.tell(Notice::SetAside { file, problem });
                Store::open(self.options.folder.as_deref())?
            }
            store => store?,
        };
        self.last = self.last.max(store.last());
        let totals = store.totals();
        let newest = if totals.messages > 0 { store.last() } else { self.shared.loaded() };
        let longest =
            self.options.longest_wait.map(|longest| u64::try_from(longest.as_millis()).unwrap_or(u64::MAX));
        self.shared.opened(
            newest,
            Status { messages: totals.messages, bytes: totals.bytes, ..Status::default() },
            longest,
        );
        self.store = Some(store);
        self.refill = true;
        Ok(())
    }

    /// Reads more of the backlog into memory.
    pub(super) fn fill(&mut self) {
        let Some(store) = &self.store else { return self.shared.not_refilled() };
        match store.read(self.shared.loaded(), Shared::enough()) {
            Ok(extract) => {
                let end = extract.newest().is_none_or(|newest| newest >= store.last());
                // What is given up already must not be sent.
                let given_up = |number: &u64| self.removals.numbers.contains(number);
                let foreign = extract.foreign.into_iter().filter(|(number, _)| !given_up(number));
                let foreign: Vec<_> = foreign.collect();
                let records = extract.records.into_iter().filter(|(number, _)| !given_up(number)).collect();
                self.shared.refilled(records, end);
                for (number, bytes) in foreign {
                    self.quarantine(number, ("", &bytes), FOREIGN, Care::Accepted);
                    self.removals.add(number);
                }
            }
            Err(failure) => {
                self.shared.not_refilled();
                self.failed(failure);
            }
        }
    }
}
