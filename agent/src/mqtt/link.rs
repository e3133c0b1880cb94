//! The handle of the link.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;

use super::beat::Beat;
use super::outbound::{Entry, Origin};
use super::worker::Worker;
use super::{Acknowledgement, Error, Event, Options, limits};
use crate::outbox::Feed;
use crate::tls::Connector;

/// Events that may wait for their reader. When as many wait, the link stops reading from the socket.
const EVENTS: usize = 256;
/// What the link gets beyond its limit to say goodbye and end its thread.
const GOODBYE: Duration = Duration::from_secs(1);

/// A link to one server. See the [module](super).
///
/// Dropping it ends the link at once, without waiting for acknowledgements.
#[derive(Debug)]
pub struct Link {
    messages: mpsc::UnboundedSender<Entry>,
    stop: watch::Sender<Option<Instant>>,
    places: Arc<Semaphore>,
    queue: usize,
    unacknowledged: oneshot::Receiver<usize>,
    beat: Beat,
}

/// What happens on the link.
#[derive(Debug)]
pub struct Events(mpsc::Receiver<Event>);

/// The place where the acknowledgement of one message will arrive. May be dropped; the message is sent anyway.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<Acknowledgement>);

impl Link {
    /// Starts the thread of the link, which starts to connect.
    ///
    /// # Errors
    /// When the operating system gives no thread, or the address is none.
    pub fn start(options: Options, connector: Connector) -> Result<(Self, Events), Error> {
        Self::start_with(options, connector, None)
    }

    /// As [`Link::start`], and sends what `stored` has, too.
    ///
    /// # Errors
    /// When the operating system gives no thread, or the address is none.
    pub fn start_with(
        options: Options,
        connector: Connector,
        stored: Option<Feed>,
    ) -> Result<(Self, Events), Error> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
        let (messages, incoming_messages) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(None);
        let (events, incoming_events) = mpsc::channel(EVENTS);
        let (report, unacknowledged) = oneshot::channel();
        let queue = options.queue;
        let beat = Beat::new();
        let beats = beat.clone();
        let dialler = options.dialler(&connector)?;
        let worker = Worker::new(options, connector, dialler, incoming_messages, stored, stopped, events);
        // Not joined: `shutdown` waits for its report instead, with a limit.
        thread::Builder::new()
            .name("mqtt".to_owned())
            .spawn(move || {
                // Nobody may be waiting for it.
                let _ = report.send(runtime.block_on(beats.along(worker.run())));
            })
            .map_err(Error::Thread)?;
        let places = Arc::new(Semaphore::new(queue));
        Ok((Self { messages, stop, places, queue, unacknowledged, beat }, Events(incoming_events)))
    }

    /// Takes a message for the server at QoS 1. Does not block, and does not need a connection.
    ///
    /// For what means nothing any more when the process has ended, as a request that is repeated in any case. What must
    /// arrive goes through the [outbox](crate::outbox).
    ///
    /// # Errors
    /// When AWS would cut the connection for it, when too many messages wait, or when the link has ended.
    pub fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>) -> Result<Receipt, Error> {
        let payload = payload.into();
        limits::check_message(topic, &payload)?;
        let place = self.places.clone().try_acquire_owned().map_err(|_| Error::QueueFull(self.queue))?;
        let (done, receipt) = oneshot::channel();
        let entry = Entry {
            topic: topic.to_owned(),
            payload: Bytes::from(payload),
            attempts: 0,
            cuts: 0,
            origin: Origin::Memory { published: Instant::now(), done, _place: place },
        };
        self.messages.send(entry).map_err(|_| Error::Stopped)?;
        Ok(Receipt(receipt))
    }

    /// How long the thread of the link has not turned: about a second, or longer while the key signs. A thread that hangs
    /// is silent for ever.
    pub fn silent_for(&self) -> Duration {
        self.beat.age()
    }

    /// Ends the link: what is on its way may be acknowledged for up to `limit`, then DISCONNECT is sent.
    /// Returns how many messages the server has not acknowledged. Without a connection it does not wait.
    ///
    /// # Errors
    /// When the thread of the link did not end in time; it is left behind.
    pub async fn shutdown(mut self, limit: Duration) -> Result<usize, Error> {
        self.stop.send_replace(Some(Instant::now() + limit));
        match timeout(limit + GOODBYE, &mut self.unacknowledged).await {
            Ok(Ok(unacknowledged)) => Ok(unacknowledged),
            Ok(Err(_)) | Err(_) => Err(Error::Stopped),
        }
    }
}

impl Events {
    /// The next event; `None` when the link has ended.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }
}

impl Receipt {
    /// Waits for the server's acknowledgement, reconnects included.
    ///
    /// # Errors
    /// When it does not come within `limit`, or the link ends before.
    pub async fn acknowledged(self, limit: Duration) -> Result<Acknowledgement, Error> {
        match timeout(limit, self.0).await {
            Ok(Ok(acknowledgement)) => Ok(acknowledgement),
            Ok(Err(_)) => Err(Error::Stopped),
            Err(_) => Err(Error::NotAcknowledged(limit)),
        }
    }
}
