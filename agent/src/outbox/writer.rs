//! The thread that owns the database: what comes in while it writes goes into its next commit together.

mod admission;
mod commits;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc::UnboundedSender, oneshot};

use super::feed::{Shared, Stored};
use super::message::Record;
use super::quarantine::{Care, Quarantine};
use super::store::{FILE, Failure, Store};
use super::{Error, Notice, Options, Refusal, Sync};
use crate::mqtt::Acknowledgement;

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
    /// Its number and size.
    TooOld(u64, usize),
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
    quarantine: Quarantine,
    /// When to look for messages that have waited too long; `None`: they may wait for ever.
    expire: Option<Instant>,
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
        let quarantine = Quarantine::new(options.folder.as_deref(), options.quarantine_bytes);
        let expire = options.longest_wait.map(|_| Instant::now());
        let mut writer = Self {
            options,
            commands,
            shared,
            notices,
            store: None,
            retry: Instant::now(),
            quarantine,
            expire,
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
            if self.expire.is_some_and(|expire| expire <= Instant::now()) {
                self.expire();
            }
            if !self.new.is_empty() || self.removals.due() {
                self.commit();
                self.give_back();
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
        let removal = self.removals.since.map(|since| since + REMOVAL_WAIT);
        let earlier = match (removal, self.expire) {
            (Some(removal), Some(expire)) => Some(removal.min(expire)),
            (removal, expire) => removal.or(expire),
        };
        match if self.store.is_some() { earlier } else { Some(self.retry) } {
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
            Command::TooOld(number, size) => self.too_old(number, u64::try_from(size).unwrap_or(0)),
            Command::Quarantine(stored, problem) => {
                self.quarantine(stored.number, (&stored.topic, &stored.payload), &problem, Care::Accepted);
                self.removals.settled += 1;
                self.removals.add(stored.number);
            }
            Command::Refill => self.refill = true,
            Command::Close(done) => self.close = Some(done),
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refused = Instant::now();
        if self.refusing.as_ref() != Some(&refusal) {
            self.tell(Notice::Refusing { reason: refusal.clone() });
            self.refusing = Some(refusal);
        }
    }

    fn quarantine(&mut self, number: u64, message: (&str, &[u8]), problem: &str, care: Care) {
        let quarantined = self.quarantine.put(number, message, problem, care);
        self.tell(Notice::Quarantined(quarantined));
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

    /// The newest of them.
    fn newest(&self) -> u64 {
        self.numbers.iter().copied().max().unwrap_or(0)
    }

    fn due(&self) -> bool {
        self.numbers.len() >= REMOVALS || self.since.is_some_and(|since| since.elapsed() >= REMOVAL_WAIT)
    }
}
