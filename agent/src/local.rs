//! The built-in MQTT listener: programs on this machine publish through the agent and hear what the cloud sends.
//!
//! A broker library (`broker`) does what a broker does: subscriptions, retained messages, MQTT 3.1.1 and 5.
//! In front of it (`front`) each PUBLISH of a client is taken out and goes into the outbox; its PUBACK leaves when the
//! outbox has committed it, not before. The library alone cannot do that: it handles the messages of one client one
//! after the other, so each would wait for a write of its own, and it has no way to refuse a message of MQTT 3.1.1.

mod broker;
pub mod client;
mod codec;
mod door;
mod front;
mod listener;
mod seats;
mod topics;
mod user;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::mqtt::Message;
use crate::outbox::Outbox;
use broker::Broker;
use seats::Seats;

pub use listener::Error;
pub use topics::Topics;

/// Messages of the cloud that may wait for being handed out.
const DELIVERIES: usize = 256;

/// How the listener is set up.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// A Unix socket to listen on.
    pub socket: Option<PathBuf>,
    /// A loopback address to listen on.
    pub listen: Option<SocketAddr>,
    /// Clients at once; for one more another one goes.
    pub clients: usize,
    /// Which topics go up and come down, and under which names.
    pub topics: Topics,
}

/// The running listener. Dropping it closes its sockets and ends its clients.
#[derive(Debug)]
pub struct Local {
    address: Option<SocketAddr>,
    deliveries: mpsc::Sender<Message>,
    topics: Topics,
    tasks: Vec<JoinHandle<()>>,
    socket: Option<PathBuf>,
    seats: Arc<Seats>,
}

impl Local {
    /// Opens the sockets and starts to serve, on the current runtime.
    ///
    /// # Errors
    /// When a socket cannot be opened.
    pub fn start(options: Options, outbox: Outbox) -> Result<Self, Error> {
        let broker = Arc::new(Broker::new(options.clients));
        let front = Arc::new(front::Front::new(broker.clone(), outbox, options.topics.clone()));
        let seats = Seats::new(options.clients);
        let (address, mut tasks) = listener::open(&options, &seats, front)?;
        let (deliveries, mut waiting) = mpsc::channel::<Message>(DELIVERIES);
        tasks.push(tokio::spawn(async move {
            while let Some(Message { topic, payload }) = waiting.recv().await {
                broker.route(&topic, payload.into(), false, None).await;
            }
        }));
        let Options { socket, topics, .. } = options;
        Ok(Self { address, deliveries, topics, tasks, socket, seats })
    }

    /// The loopback address, with the port that was found for port 0.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Clients that are connected now.
    pub fn clients(&self) -> usize {
        self.seats.taken()
    }

    /// Hands a message of the cloud to the clients that subscribed to it, if it is one that comes down. `false`: too
    /// many wait already, and it was dropped.
    pub fn deliver(&self, message: &Message) -> bool {
        let Some(topic) = self.topics.down(&message.topic) else { return true };
        self.deliveries
            .try_send(Message { topic: topic.to_owned(), payload: message.payload.clone() })
            .is_ok()
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        if let Some(socket) = &self.socket {
            // Left behind it only costs the next start a look.
            let _ = std::fs::remove_file(socket);
        }
    }
}
