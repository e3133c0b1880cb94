//! The outbox: messages that wait for the server's PUBACK, on disk.
//!
//! What [`Outbox::offer`] has taken is committed: it survives the process and, if the disk keeps its word, a cut of
//! power. It leaves the outbox when the server has acknowledged it, in the order in which it came, and is sent again on
//! every connection until then. So the server gets each message at least once; more than once at most as many as were in
//! flight when the process or a connection was lost.
//!
//! One thread (`writer`) owns the database. Offers and acknowledgements that come while it writes go into its next
//! commit together. The backlog stays on disk; in memory is the [`Feed`]'s window of what is sent next.

mod error;
mod feed;
mod message;
mod options;
mod quarantine;
mod store;
mod writer;

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::mqtt::{Acknowledgement, Error as LinkError};
use feed::Shared;
use writer::{Command, Offer, Writer};

pub use error::{Error, Refusal};
pub use feed::Feed;
pub(crate) use feed::Stored;
pub use options::{Options, Sync, WhenFull};
pub use quarantine::{Quarantined, quarantined};
pub(crate) use store::FILE;

/// Bytes of messages that may wait for a commit; whoever offers more waits.
const MOST_PENDING: usize = 1024 * 1024;
/// Counted for a message beyond topic and payload, here and in `most_bytes`.
pub(crate) const OVERHEAD: usize = 64;

/// The end of the outbox that takes messages. Clones are the same outbox.
#[derive(Clone, Debug)]
pub struct Outbox {
    commands: mpsc::Sender<Command>,
    places: Arc<Semaphore>,
    shared: Arc<Shared>,
}

/// Something that whoever runs the agent should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// New messages are refused.
    Refusing {
        /// Why.
        reason: Refusal,
    },
    /// Messages are taken again.
    Taking,
    /// Messages were given up, as the configuration says.
    Dropped {
        /// How many.
        messages: u64,
        /// Why.
        reason: &'static str,
    },
    /// A message that the server would not take was put aside.
    Quarantined(Quarantined),
    /// The database was damaged; it was renamed, and a new one begun.
    SetAside {
        /// Its new name.
        file: std::path::PathBuf,
        /// What was wrong.
        problem: String,
    },
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Messages that the server has not acknowledged, as far as it is committed.
    pub messages: u64,
    /// Their topics and payloads, with 64 bytes for each message.
    pub bytes: u64,
    /// Messages that this process has taken.
    pub taken: u64,
    /// Messages that the server has acknowledged to this process.
    pub delivered: u64,
}

/// What happens in the outbox, for the supervisor to tell.
#[derive(Debug)]
pub struct Notices(tokio::sync::mpsc::UnboundedReceiver<Notice>);

/// A commit that is under way.
#[derive(Debug)]
pub struct Committing(oneshot::Receiver<Result<u64, Refusal>>);

/// The place where the server's acknowledgement of one message will arrive. May be dropped.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<Acknowledgement>);

impl Outbox {
    /// Opens the outbox, or makes it.
    ///
    /// A damaged database is renamed and told of, and a full disk only means that nothing is taken for now.
    ///
    /// # Errors
    /// When its folder cannot be used, or another process has it.
    pub fn open(options: Options) -> Result<(Self, Feed, Notices), Error> {
        let (commands, incoming) = mpsc::channel();
        let (notices, told) = tokio::sync::mpsc::unbounded_channel();
        let shared = Arc::new(Shared::default());
        let writer = Writer::open(options, incoming, shared.clone(), notices)?;
        thread::Builder::new()
            .name("outbox".to_owned())
            .spawn(move || writer.run())
            .map_err(Error::Thread)?;
        let places = Arc::new(Semaphore::new(MOST_PENDING));
        let feed = Feed::new(shared.clone(), commands.clone());
        Ok((Self { commands, places, shared }, feed, Notices(told)))
    }

    /// Takes a message for the server. Waits only if too many wait for a commit already; the commit itself is to be
    /// waited for at what is returned.
    ///
    /// # Errors
    /// When the outbox has ended.
    pub async fn offer(&self, topic: &str, payload: impl Into<Bytes>) -> Result<Committing, Refusal> {
        self.hand_over(topic, payload.into(), None).await
    }

    /// Takes a message, waits for its commit, and gives the place where the server's acknowledgement will arrive.
    ///
    /// # Errors
    /// Why the message was not taken.
    pub async fn publish(&self, topic: &str, payload: impl Into<Bytes>) -> Result<Receipt, Refusal> {
        let (done, receipt) = oneshot::channel();
        self.hand_over(topic, payload.into(), Some(done)).await?.committed().await?;
        Ok(Receipt(receipt))
    }

    async fn hand_over(
        &self,
        topic: &str,
        payload: Bytes,
        done: Option<oneshot::Sender<Acknowledgement>>,
    ) -> Result<Committing, Refusal> {
        // One message alone always fits, however large it is.
        let size = (topic.len() + payload.len() + OVERHEAD).min(MOST_PENDING);
        let permits = u32::try_from(size).unwrap_or(u32::MAX);
        let place = self.places.clone().acquire_many_owned(permits).await.map_err(|_| Refusal::Ended)?;
        let (reply, committing) = oneshot::channel();
        let offered = Instant::now();
        let offer = Offer { topic: topic.into(), payload, offered, reply, done, place };
        self.commands.send(Command::Offer(offer)).map_err(|_| Refusal::Ended)?;
        Ok(Committing(committing))
    }

    /// How much waits.
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// Commits what is left to commit and closes the database.
    ///
    /// # Errors
    /// When that takes longer than `limit`.
    pub async fn close(self, limit: Duration) -> Result<(), Refusal> {
        let (done, closed) = oneshot::channel();
        self.commands.send(Command::Close(done)).map_err(|_| Refusal::Ended)?;
        timeout(limit, closed).await.map_err(|_| Refusal::Ended)?.map_err(|_| Refusal::Ended)
    }
}

impl Committing {
    /// Waits until the message is committed. Gives its number, which grows from message to message.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn committed(self) -> Result<u64, Refusal> {
        self.0.await.unwrap_or(Err(Refusal::Ended))
    }
}

impl Future for Committing {
    type Output = Result<u64, Refusal>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(context).map(|result| result.unwrap_or(Err(Refusal::Ended)))
    }
}

impl Receipt {
    /// Waits for the server's acknowledgement, reconnects included.
    ///
    /// # Errors
    /// When it does not come within `limit`, or the agent ends before; the message stays in the outbox.
    pub async fn acknowledged(self, limit: Duration) -> Result<Acknowledgement, LinkError> {
        match timeout(limit, self.0).await {
            Ok(Ok(acknowledgement)) => Ok(acknowledgement),
            Ok(Err(_)) => Err(LinkError::Stopped),
            Err(_) => Err(LinkError::NotAcknowledged(limit)),
        }
    }
}

impl Notices {
    /// The next notice; pends for ever when the outbox has ended.
    pub async fn next(&mut self) -> Notice {
        match self.0.recv().await {
            Some(notice) => notice,
            None => std::future::pending().await,
        }
    }
}
