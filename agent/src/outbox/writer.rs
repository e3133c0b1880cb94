//! The thread that owns the database: what comes in while it writes goes into its next commit together.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc::UnboundedSender, oneshot};

use super::feed::{Shared, Stored};
use super::message::{Record, now_ms, size};
use super::store::{Change, FILE, Failure, Store, set_aside};
use super::{Error, Notice, Options, Refusal, Status, Sync, WhenFull, quarantine};
use crate::mqtt::{Acknowledgement, check_message};

/// Messages of one commit at most.
const MOST_MESSAGES: usize = 1000;
/// Removals that wait for a commit of their own.
const REMOVALS: usize = 32;
/// How long a removal waits for company: a removal that comes late costs a repetition at worst.
const REMOVAL_WAIT: Duration = Duration::from_millis(200);
/// How long after a failure the database is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// What the thread is asked.
pub(super) enum Command {
    Offer(Offer),
    Delivered(u64),
    TooOld(u64),
    Quarantine(Stored, String),
    Refill,
    Close(oneshot::Sender<()>),
}

/// A message that is to be taken.
pub(super) struct Offer {
    pub(super) topic: Box<str>,
    pub(super) payload: Bytes,
    pub(super) offered: Instant,
    pub(super) reply: oneshot::Sender<Result<u64, Refusal>>,
    pub(super) done: Option<oneshot::Sender<Acknowledgement>>,
    /// Its place among those that wait for a commit.
    pub(super) place: OwnedSemaphorePermit,
}

pub(super) struct Writer {
    options: Options,
    commands: Receiver<Command>,
    shared: Arc<Shared>,
    notices: UnboundedSender<Notice>,
    /// `None` after a failure, until it could be opened again.
    store: Option<Store>,
    retry: Instant,
    refusing: Option<Refusal>,
    refused: Instant,
    /// The number of the newest message.
    last: u64,
    new: Vec<(u64, Record)>,
    new_bytes: u64,
    waiting: Vec<Waiting>,
    removals: Removals,
    dropped: Vec<(&'static str, u64)>,
    refill: bool,
    close: Option<oneshot::Sender<()>>,
}

/// Somebody who waits for a commit.
struct Waiting {
    offered: Instant,
    reply: oneshot::Sender<Result<u64, Refusal>>,
    done: Option<oneshot::Sender<Acknowledgement>>,
    place: OwnedSemaphorePermit,
}

/// What the next commit removes.
#[derive(Default)]
struct Removals {
    numbers: Vec<u64>,
    /// How many of them the server has.
    settled: usize,
    /// Bytes of those that are given up.
    freed: u64,
    since: Option<Instant>,
}

impl Writer {
    pub(super) fn open(
        options: Options,
        commands: Receiver<Command>,
        shared: Arc<Shared>,
        notices: UnboundedSender<Notice>,
    ) -> Result<Self, Error> {
        if let Some(folder) = &options.folder {
            use std::os::unix::fs::DirBuilderExt;
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(|error| Error::Unusable { path: folder.clone(), problem: error.to_string() })?;
        }
        let mut writer = Self {
            options,
            commands,
            shared,
            notices,
            store: None,
            retry: Instant::now(),
            refusing: None,
            refused: Instant::now(),
            last: 0,
            new: Vec::new(),
            new_bytes: 0,
            waiting: Vec::new(),
            removals: Removals::default(),
            dropped: Vec::new(),
            refill: true,
            close: None,
        };
        match writer.reopen() {
            Ok(()) => {}
            Err(Failure::InUse) => return Err(Error::InUse { path: writer.file() }),
            Err(Failure::DiskFull) => writer.failed(Failure::DiskFull),
            Err(Failure::Damaged(problem) | Failure::Other(problem)) => {
                return Err(Error::Unusable { path: writer.file(), problem });
            }
        }
        Ok(writer)
    }

    /// Runs until everybody who could ask has gone, or one says that it shall close.
    pub(super) fn run(mut self) {
        loop {
            match self.receive() {
                Ok(command) => self.take(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.take_company();
            if self.store.is_none() && self.retry <= Instant::now() {
                match self.reopen() {
                    Ok(()) => {}
                    Err(failure) => self.failed(failure),
                }
            }
            if !self.new.is_empty() || self.removals.due() {
                self.commit();
            }
            if std::mem::take(&mut self.refill) {
                self.fill();
            }
            self.tell_dropped();
            if self.close.is_some() {
                break;
            }
        }
        if !self.removals.numbers.is_empty() {
            self.commit();
        }
        drop(self.store);
        if let Some(done) = self.close {
            // Whoever asked may have lost patience.
            let _ = done.send(());
        }
    }

    fn receive(&mut self) -> Result<Command, RecvTimeoutError> {
        // Without a database nothing can be removed, and it is tried again at its time.
        let until_removal = self.removals.since.map(|since| since + REMOVAL_WAIT);
        match if self.store.is_some() { until_removal } else { Some(self.retry) } {
            Some(at) => self.commands.recv_timeout(at.saturating_duration_since(Instant::now())),
            None => self.commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    /// What has come meanwhile, and what comes within the time that a group waits.
    fn take_company(&mut self) {
        while self.has_place() {
            match self.commands.try_recv() {
                Ok(command) => self.take(command),
                Err(_) => break,
            }
        }
        let Sync::Group(window) = self.options.sync else { return };
        if window.is_zero() || self.new.is_empty() {
            return;
        }
        let end = Instant::now() + window;
        while self.has_place() {
            match self.commands.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(command) => self.take(command),
                Err(_) => break,
            }
        }
    }

    fn has_place(&self) -> bool {
        let most = if self.options.sync == Sync::Each { 1 } else { MOST_MESSAGES };
        self.new.len() < most && self.close.is_none()
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Offer(offer) => self.offer(offer),
            Command::Delivered(number) => {
                self.removals.settled += 1;
                self.removals.add(number);
            }
            Command::TooOld(number) => {
                self.removals.add(number);
                self.drop_some("older than `hours` in [outbox] allows", 1);
            }
            Command::Quarantine(stored, problem) => {
                self.quarantine(stored.number, (&stored.topic, &stored.payload), &problem);
                self.removals.settled += 1;
                self.removals.add(stored.number);
            }
            Command::Refill => self.refill = true,
            Command::Close(done) => self.close = Some(done),
        }
    }

    fn offer(&mut self, offer: Offer) {
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
            self.quarantine(self.last, (topic, payload), &problem);
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
        let newest = self.removals.numbers.iter().copied().max().unwrap_or(0);
        // Some more at once, so that a full outbox does not look for the oldest again for each message.
        let wanted = bytes.max(self.options.most_bytes / 100);
        let mut freed = 0;
        let enough = |record: &Record| {
            freed += record.size();
            freed >= wanted
        };
        let Ok(records) = store.read(self.shared.loaded().max(newest), enough) else { return false };
        let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        for (number, _) in &records {
            self.removals.add(*number);
        }
        self.removals.freed += freed;
        self.drop_some("the outbox was full", count);
        freed >= bytes
    }

    fn commit(&mut self) {
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

    /// The database has failed: it is closed, and tried again after a while. What it held is still there.
    fn failed(&mut self, failure: Failure) {
        self.store = None;
        self.retry = Instant::now() + RETRY;
        let refusal = match failure {
            Failure::DiskFull => Refusal::DiskFull,
            Failure::InUse => Refusal::Storage("another process uses it".to_owned()),
            Failure::Damaged(problem) | Failure::Other(problem) => Refusal::Storage(problem),
        };
        self.refuse(refusal);
    }

    fn reopen(&mut self) -> Result<(), Failure> {
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
        let status = Status { messages: totals.messages, bytes: totals.bytes, ..Status::default() };
        self.shared.opened(newest, status, longest);
        self.store = Some(store);
        self.refill = true;
        Ok(())
    }

    /// Reads more of the backlog into memory.
    fn fill(&mut self) {
        let Some(store) = &self.store else { return self.shared.not_refilled() };
        match store.read(self.shared.loaded(), Shared::enough()) {
            Ok(records) => {
                let newest = records.last().map(|(number, _)| *number);
                let end = newest.is_none_or(|newest| newest >= store.last());
                // What is given up already must not be sent.
                let given_up = &self.removals.numbers;
                let records = records.into_iter().filter(|(number, _)| !given_up.contains(number)).collect();
                self.shared.refilled(records, end);
            }
            Err(failure) => {
                self.shared.not_refilled();
                self.failed(failure);
            }
        }
    }

    fn quarantine(&mut self, number: u64, message: (&str, &[u8]), problem: &str) {
        let folder = self.options.folder.as_deref();
        match quarantine::put(folder, self.options.quarantine_bytes, number, message, problem) {
            Ok(quarantined) => self.tell(Notice::Quarantined(quarantined)),
            Err(error) => {
                let problem = format!("{problem}; it could not be kept: {error}");
                let quarantined = quarantine::put(None, 0, number, message, &problem);
                quarantined.into_iter().for_each(|quarantined| self.tell(Notice::Quarantined(quarantined)));
            }
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refused = Instant::now();
        if self.refusing.as_ref() != Some(&refusal) {
            self.tell(Notice::Refusing { reason: refusal.clone() });
            self.refusing = Some(refusal);
        }
    }

    fn drop_some(&mut self, reason: &'static str, messages: u64) {
        match self.dropped.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += messages,
            None => self.dropped.push((reason, messages)),
        }
    }

    fn tell_dropped(&mut self) {
        for (reason, messages) in std::mem::take(&mut self.dropped) {
            self.tell(Notice::Dropped { messages, reason });
        }
    }

    fn tell(&self, notice: Notice) {
        // Whoever listened may have gone.
        let _ = self.notices.send(notice);
    }

    fn file(&self) -> std::path::PathBuf {
        self.options.folder.as_deref().unwrap_or(std::path::Path::new("")).join(FILE)
    }
}

impl Removals {
    fn add(&mut self, number: u64) {
        self.numbers.push(number);
        self.since.get_or_insert_with(Instant::now);
    }

    fn due(&self) -> bool {
        self.numbers.len() >= REMOVALS || self.since.is_some_and(|since| since.elapsed() >= REMOVAL_WAIT)
    }
}
