//! The end of the outbox that the link sends from.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use super::message::{Record, is_too_old};
use super::writer::Command;
use super::{OVERHEAD, Status};
use crate::mqtt::Acknowledgement;

/// Messages in memory at most, sent ones not counted.
const WINDOW: usize = 256;
/// Their bytes at most, as long as there is more than one.
const WINDOW_BYTES: usize = 512 * 1024;
/// As few in memory, and more are read from the disk.
const LOW: usize = WINDOW / 4;
/// Messages whose acknowledgement somebody waits for, at most; later ones are delivered without telling.
const RECEIPTS: usize = 1024;

/// A message that is to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) number: u64,
    pub(crate) topic: Box<str>,
    pub(crate) payload: Bytes,
    taken_ms: u64,
}

/// What the writer and the link share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    window: VecDeque<Stored>,
    window_bytes: usize,
    /// The newest message that was put into the window.
    loaded: u64,
    /// The newest message that is committed.
    newest: u64,
    asked: bool,
    /// Acknowledged by the server, and their removal not committed yet.
    unsettled: usize,
    receipts: HashMap<u64, (Instant, oneshot::Sender<Acknowledgement>)>,
    status: Status,
    /// Since this process began: what was committed, and what the server has.
    taken: u64,
    delivered: u64,
    longest_wait_ms: Option<u64>,
}

/// The end of the outbox that the link sends from.
#[derive(Debug)]
pub struct Feed {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
}

impl Feed {
    pub(super) fn new(shared: Arc<Shared>, commands: mpsc::Sender<Command>) -> Self {
        Self { shared, commands }
    }

    /// The next message in its order, if one is in memory. Asks for more where that is due.
    pub(crate) fn take(&self) -> Option<Stored> {
        let mut state = self.shared.lock();
        loop {
            if state.window.len() <= LOW && state.loaded < state.newest && !state.asked {
                state.asked = self.commands.send(Command::Refill).is_ok();
            }
            let longest = state.longest_wait_ms;
            let stored = state.pop()?;
            if !longest.is_some_and(|longest| is_too_old(stored.taken_ms, longest)) {
                return Some(stored);
            }
            let _ = self.commands.send(Command::TooOld(stored.number, stored.size()));
        }
    }

    /// Waits until it may be worth asking again.
    pub(crate) async fn changed(&self) {
        self.shared.changed.notified().await;
    }

    /// The server has it.
    pub(crate) fn delivered(&self, number: u64, attempts: u32) {
        let mut state = self.shared.lock();
        state.unsettled += 1;
        state.delivered += 1;
        if let Some((offered, done)) = state.receipts.remove(&number) {
            // Nobody needs to wait for it.
            let _ = done.send(Acknowledgement { took: offered.elapsed(), attempts });
        }
        drop(state);
        let _ = self.commands.send(Command::Delivered(number));
    }

    /// The server does not take it.
    pub(crate) fn quarantine(&self, stored: Stored, problem: String) {
        self.shared.lock().unsettled += 1;
        let _ = self.commands.send(Command::Quarantine(stored, problem));
    }

    /// Messages that the server has, and that would be sent again if the process died now.
    pub(crate) fn unsettled(&self) -> usize {
        self.shared.lock().unsettled
    }

    /// Messages that the server does not have yet.
    pub(crate) fn waiting(&self) -> usize {
        let state = self.shared.lock();
        usize::try_from(state.status.messages).unwrap_or(usize::MAX).saturating_sub(state.unsettled)
    }
}

impl Stored {
    fn new(number: u64, record: Record) -> Self {
        let Record { taken_ms, topic, payload } = record;
        Self { number, topic, payload, taken_ms }
    }

    /// Counted against a bound of memory.
    pub(crate) fn size(&self) -> usize {
        self.topic.len() + self.payload.len() + OVERHEAD
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here is left half done by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self) -> Status {
        let state = self.lock();
        Status { taken: state.taken, delivered: state.delivered, ..state.status }
    }

    /// The database was opened: what it holds is read from its beginning, or from where the window ends.
    pub(super) fn opened(&self, newest: u64, status: Status, longest_wait_ms: Option<u64>) {
        let mut state = self.lock();
        state.newest = newest;
        state.status = status;
        state.longest_wait_ms = longest_wait_ms;
        drop(state);
        self.changed.notify_one();
    }

    /// A change was committed: `settled` messages that the server has are gone, and these are new.
    pub(super) fn committed(
        &self,
        settled: usize,
        new: Vec<(u64, Record)>,
        receipts: impl Iterator<Item = (u64, Instant, oneshot::Sender<Acknowledgement>)>,
        status: Status,
    ) {
        let mut state = self.lock();
        state.unsettled = state.unsettled.saturating_sub(settled);
        state.status = status;
        for (number, offered, done) in receipts {
            if state.receipts.len() < RECEIPTS {
                state.receipts.insert(number, (offered, done));
            }
        }
        state.taken += new.len() as u64;
        for (number, record) in new {
            // Only what follows directly; the rest stays on the disk until there is room.
            if state.loaded == state.newest && state.has_room() {
                state.push(Stored::new(number, record));
            }
            state.newest = number;
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Takes the messages out of memory that have waited longer than `longest_ms`: number and size of each.
    pub(super) fn expire(&self, longest_ms: u64) -> Vec<(u64, usize)> {
        let mut state = self.lock();
        let mut expired = Vec::new();
        while state.window.front().is_some_and(|stored| is_too_old(stored.taken_ms, longest_ms)) {
            expired.extend(state.pop().map(|stored| (stored.number, stored.size())));
        }
        expired
    }

    /// Whether no message is in memory.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().window.is_empty()
    }

    /// After which message to read on.
    pub(super) fn loaded(&self) -> u64 {
        self.lock().loaded
    }

    /// More of the backlog, read after [`Shared::loaded`]; `end`: there is no more.
    pub(super) fn refilled(&self, records: Vec<(u64, Record)>, end: bool) {
        let mut state = self.lock();
        state.asked = false;
        for (number, record) in records {
            state.push(Stored::new(number, record));
        }
        if end {
            state.loaded = state.newest;
        }
        drop(state);
        self.changed.notify_one();
    }

    /// The backlog cannot be read now; somebody may ask again.
    pub(super) fn not_refilled(&self) {
        self.lock().asked = false;
    }

    /// Tells a reader when it has enough for one refill.
    pub(super) fn enough() -> impl FnMut(&Record) -> bool {
        let (mut messages, mut bytes) = (0, 0);
        move |record| {
            messages += 1;
            bytes += record.topic.len() + record.payload.len() + OVERHEAD;
            messages >= WINDOW - LOW || bytes >= WINDOW_BYTES / 2
        }
    }
}

impl State {
    fn has_room(&self) -> bool {
        self.window.is_empty() || (self.window.len() < WINDOW && self.window_bytes < WINDOW_BYTES)
    }

    fn pop(&mut self) -> Option<Stored> {
        let stored = self.window.pop_front()?;
        self.window_bytes -= stored.size();
        Some(stored)
    }

    fn push(&mut self, stored: Stored) {
        self.loaded = stored.number;
        self.window_bytes += stored.size();
        self.window.push_back(stored);
    }
}
