//! The broker library: subscriptions and retained messages of the clients. Its types end here.
//!
//! It has no storage, so it keeps no session: a client that is away misses what comes meanwhile, and clients that come
//! and go leave nothing behind.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use mqtt5::QoS;
use mqtt5::broker::client_handler::ClientHandler;
use mqtt5::broker::config::BrokerConfig;
use mqtt5::broker::router::MessageRouter;
use mqtt5::broker::storage::QueueLimits;
use mqtt5::broker::sys_topics::BrokerStats;
use mqtt5::broker::transport::BrokerTransport;
use mqtt5::broker::{AllowAllAuthProvider, ResourceLimits, ResourceMonitor};
use mqtt5::packet::publish::PublishPacket;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::time::Instant;

use super::codec::LARGEST_PACKET;

/// Messages that may wait for one client that reads slowly, and their bytes. Then the oldest are dropped.
const QUEUE: usize = 100;
const QUEUE_BYTES: usize = 512 * 1024;
/// Messages before them, already on their way to the client.
const LANE: usize = 16;
/// How long a message waits for a client whose lane is full, before that client has a queue.
const PATIENCE: Duration = Duration::from_millis(100);
/// Retained messages, and the bytes of one, at most.
const RETAINED: usize = 200;
const RETAINED_BYTES: usize = 16 * 1024;
/// After so many clients what those left behind that are gone is thrown away: the library keeps a queue for each name.
const SWEEP: usize = 64;

/// The broker library, without a listener of its own.
pub(super) struct Broker {
    config: Arc<BrokerConfig>,
    router: Arc<MessageRouter>,
    stats: Arc<BrokerStats>,
    monitor: Arc<ResourceMonitor>,
    shutdown: broadcast::Sender<()>,
    /// How many clients there were.
    opened: AtomicUsize,
}

impl Broker {
    pub(super) fn new(clients: usize) -> Self {
        let config = BrokerConfig {
            bind_addresses: Vec::new(),
            max_clients: clients,
            max_packet_size: LARGEST_PACKET,
            // A client may have as many messages on their way as wait for one commit; the front counts them.
            server_receive_maximum: Some(super::front::MOST_PENDING),
            topic_alias_maximum: 0,
            maximum_qos: 1,
            max_subscriptions_per_client: 100,
            max_retained_messages: RETAINED,
            max_retained_message_size: RETAINED_BYTES,
            client_channel_capacity: LANE,
            sys_topics_enabled: false,
            ..BrokerConfig::default()
        };
        let limits = QueueLimits { max_messages: QUEUE, max_bytes: QUEUE_BYTES };
        let router = MessageRouter::new()
            .with_fallback_queue_limits(limits)
            .with_retained_limits(RETAINED, RETAINED_BYTES);
        let limits = ResourceLimits { max_connections: clients, ..ResourceLimits::default() };
        Self {
            config: Arc::new(config),
            router: Arc::new(router),
            stats: Arc::new(BrokerStats::new()),
            monitor: Arc::new(ResourceMonitor::new(limits)),
            shutdown: broadcast::channel(1).0,
            opened: AtomicUsize::new(0),
        }
    }

    /// A connection for one client: what is written there, the library reads.
    ///
    /// The library serves TCP streams only. This one goes over the loopback to a port that is open for this moment and
    /// takes no other connection than ours.
    pub(super) async fn open(&self) -> std::io::Result<TcpStream> {
        if self.opened.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            // The library's own listener does so from time to time.
            self.router.sweep_sessions().await;
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let ours = TcpStream::connect(listener.local_addr()?).await?;
        let address = ours.local_addr()?;
        let theirs = loop {
            let (stream, from) = listener.accept().await?;
            if from == address {
                break stream;
            }
        };
        ours.set_nodelay(true)?;
        theirs.set_nodelay(true)?;
        let handler = ClientHandler::new(
            BrokerTransport::tcp(theirs),
            address,
            self.config.clone(),
            self.router.clone(),
            Arc::new(AllowAllAuthProvider),
            None,
            self.stats.clone(),
            self.monitor.clone(),
            self.shutdown.subscribe(),
        );
        // It ends when our end of the stream is closed, and why it ended is the front's to know.
        tokio::spawn(async move { drop(handler.run().await) });
        Ok(ours)
    }

    /// Hands a message to those who subscribed to it. Who does not read holds up the others once, and not for long.
    pub(super) async fn route(&self, topic: &str, payload: Bytes, retain: bool, from: Option<&str>) {
        let mut publish = PublishPacket::new(topic, payload, QoS::AtLeastOnce);
        publish.retain = retain;
        let deadline = Instant::now() + PATIENCE;
        self.router.route_message_with_deadline(&publish, from, deadline).await;
    }
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A client of MQTT 3.1.1 that wants its session to be kept, and is let in.
    async fn client(broker: &Broker, id: &str) -> TcpStream {
        let mut stream = broker.open().await.unwrap();
        let length = u8::try_from(12 + id.len()).unwrap();
        let head = [&[0x10, length][..], b"\0\x04MQTT\x04\0\0\x3c\0", &[length - 12], id.as_bytes()].concat();
        stream.write_all(&head).await.unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, [0x20, 2, 0, 0]);
        stream
    }

    #[tokio::test]
    async fn clients_that_come_and_go_leave_nothing_behind() {
        let broker = Broker::new(8);
        drop(client(&broker, "the first").await);
        let left = Arc::downgrade(&broker.router.queue_handle("the first"));
        assert!(left.upgrade().is_some(), "the library keeps no queue, so this test shows nothing");
        for number in 0..3 * SWEEP {
            // The library takes note of the end of one when it finds the time.
            while broker.monitor.get_stats().await.current_connections > 0 {
                tokio::task::yield_now().await;
            }
            drop(client(&broker, &format!("client {number}")).await);
        }
        assert!(left.upgrade().is_none());
        assert!(broker.router.session_slot_count() <= SWEEP);
    }
}
