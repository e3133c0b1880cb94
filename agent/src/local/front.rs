//! One client: its PUBLISH packets go to the outbox, everything else to the broker library.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rumqttc_v5::PubAckReason;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, split};
use tokio::time::timeout;

use super::broker::Broker;
use super::codec::{self, Broken, Connect, Publish, Reader, Version};
use super::door::Door;
use super::seats::Seat;
use super::topics::Topics;
use crate::outbox::{Committing, Outbox, Refusal};

/// Messages of one client that may wait for their commit; the client is not read from meanwhile.
pub(super) const MOST_PENDING: u16 = 256;
/// How long a new client may take to say CONNECT.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long a client may take to read what is written to it.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// How long a client of MQTT 3.1.1 whose message cannot be taken is not read from before it is cut: it comes back at once.
const BRAKE: Duration = Duration::from_secs(5);
/// Bytes gathered for one write.
const WRITE_CHUNK: usize = 16 * 1024;

/// What all clients share.
#[derive(Debug)]
pub(super) struct Front {
    broker: Arc<Broker>,
    outbox: Outbox,
    topics: Topics,
}

/// One client after its CONNECT.
struct Client<'a, W> {
    front: &'a Front,
    version: Version,
    id: String,
    seat: &'a Seat,
    writer: W,
    out: BytesMut,
    pending: VecDeque<Pending>,
}

/// A message on its way into the outbox; `None`: it stays on this machine.
struct Pending {
    publish: Publish,
    commit: Option<Committing>,
}

impl Front {
    pub(super) fn new(broker: Arc<Broker>, outbox: Outbox, topics: Topics) -> Self {
        Self { broker, outbox, topics }
    }

    /// Serves one client until it goes, or breaks the rules.
    pub(super) async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Send, door: Door) {
        let (reader, writer) = split(stream);
        let (mut reader, mut writer) = (Reader::new(Box::pin(reader)), Box::pin(writer));
        let Ok(Ok(packet)) = timeout(CONNECT_LIMIT, reader.next()).await else { return };
        let Ok(connect) = codec::connect(&packet) else { return };
        drop(packet);
        let Connect { version, client_id: id, keep_alive, will, forward } = connect;
        let Some(seat) = door.enter().await else {
            let _ = write(&mut writer, &codec::busy(version)).await;
            return;
        };
        let Ok(library) = self.broker.open().await else { return };
        let (library_reader, mut library_writer) = library.into_split();
        if library_writer.write_all(&forward).await.is_err() {
            return;
        }
        let mut client = Client {
            front: self,
            version,
            id,
            seat: &seat,
            writer: &mut writer,
            out: BytesMut::new(),
            pending: VecDeque::new(),
        };
        let goodbye = tokio::select! {
            goodbye = client.run(&mut reader, Reader::new(library_reader), library_writer, keep_alive) => goodbye,
            () = seat.is_needed() => Err(Broken),
        };
        // What was accepted is delivered whether or not somebody reads the acknowledgement.
        client.finish().await;
        if let (Ok(false) | Err(Broken), Some(will)) = (goodbye, will) {
            client.say_will(will).await;
        }
        tokio::select! {
            _ = timeout(WRITE_LIMIT, writer.shutdown()) => {}
            () = seat.is_needed() => {}
        }
    }
}

impl<W: AsyncWrite + Unpin> Client<'_, W> {
    /// Runs until one side ends. `true`: the client said goodbye, and its will is void.
    async fn run(
        &mut self,
        reader: &mut Reader<impl AsyncRead + Unpin>,
        mut library: Reader<impl AsyncRead + Unpin>,
        mut to_library: impl AsyncWrite + Unpin,
        keep_alive: u16,
    ) -> Result<bool, Broken> {
        // One and a half times what was agreed (MQTT 5, 3.1.2.10); none was agreed at 0.
        let silence = match keep_alive {
            0 => Duration::from_secs(365 * 86400),
            seconds => Duration::from_millis(1500 * u64::from(seconds)),
        };
        // The first answer of the library is CONNACK; nothing is acknowledged before.
        let connack = timeout(WRITE_LIMIT, library.next()).await.map_err(|_| Broken)??;
        self.out.extend_from_slice(&connack);
        self.flush().await?;
        let mut heard = tokio::time::Instant::now();
        loop {
            let may_read = self.pending.len() < usize::from(MOST_PENDING);
            tokio::select! {
                biased;
                result = first(&mut self.pending) => self.settle(result).await?,
                packet = library.next() => {
                    self.out.extend_from_slice(&packet?);
                    while self.out.len() < WRITE_CHUNK && let Some(packet) = library.ready() {
                        self.out.extend_from_slice(&packet);
                    }
                }
                packet = reader.next(), if may_read => {
                    heard = tokio::time::Instant::now();
                    let mut packet = Some(packet?);
                    while let Some(current) = packet {
                        let kind = codec::kind(&current);
                        self.seat.heard(matches!(kind, codec::PUBLISH | codec::SUBSCRIBE));
                        match kind {
                            codec::PUBLISH => self.take(current).await?,
                            codec::CONNECT => return Err(Broken),
                            codec::DISCONNECT => {
                                // MQTT 5 has a code for "with will" (3.14.2.1).
                                let with_will = current.get(2) == Some(&4);
                                write(&mut to_library, &current).await?;
                                return Ok(!with_will);
                            }
                            _ => write(&mut to_library, &current).await?,
                        }
                        let more = self.pending.len() < usize::from(MOST_PENDING);
                        packet = if more { reader.ready() } else { None };
                    }
                }
                () = tokio::time::sleep_until(heard + silence), if may_read => return Err(Broken),
            }
            self.flush().await?;
        }
    }

    async fn take(&mut self, packet: Bytes) -> Result<(), Broken> {
        let publish = codec::publish(self.version, packet)?;
        let commit = match self.front.topics.up(&publish.topic) {
            None => None,
            Some(topic) => {
                Some(self.front.outbox.offer(&topic, publish.payload.clone()).await.map_err(|_| Broken)?)
            }
        };
        self.pending.push_back(Pending { publish, commit });
        Ok(())
    }

    /// The first that is pending has been decided, and perhaps those behind it.
    async fn settle(&mut self, first: Result<u64, Refusal>) -> Result<(), Broken> {
        let mut result = self.answer(first).await;
        while result.is_ok()
            && self.out.len() < WRITE_CHUNK
            && let Some(next) = decided(&mut self.pending).await
        {
            result = self.answer(next).await;
        }
        if result.is_err() {
            // What was taken before it is acknowledged without delay.
            self.flush().await?;
            tokio::time::sleep(BRAKE).await;
        }
        result
    }

    async fn answer(&mut self, result: Result<u64, Refusal>) -> Result<(), Broken> {
        let Some(Pending { publish, .. }) = self.pending.pop_front() else { return Ok(()) };
        let refusal = match result {
            Ok(_) => None,
            // At QoS 0 nobody waits to hear of it.
            Err(_) if publish.id.is_none() => return Ok(()),
            Err(refusal) => Some(match (&refusal, self.version) {
                // MQTT 3.1.1 cannot say no. A message in quarantine would come again for ever if it were not
                // acknowledged; for any other reason the client shall keep it, so it is cut.
                (Refusal::Quarantined(_), _) => {
                    (PubAckReason::ImplementationSpecificError, refusal.to_string())
                }
                (_, Version::V4) => return Err(Broken),
                (Refusal::Full { .. } | Refusal::DiskFull, Version::V5) => {
                    (PubAckReason::QuotaExceeded, refusal.to_string())
                }
                (_, Version::V5) => (PubAckReason::UnspecifiedError, refusal.to_string()),
            }),
        };
        if refusal.is_none() {
            let from = Some(self.id.as_str());
            self.front.broker.route(&publish.topic, publish.payload, publish.retain, from).await;
        }
        match publish.id {
            Some(id) => codec::puback(self.version, id, refusal, &mut self.out),
            None => Ok(()),
        }
    }

    /// The connection has ended: what is decided still is for others.
    async fn finish(&mut self) {
        while !self.pending.is_empty() {
            let result = first(&mut self.pending).await;
            if self.answer(result).await.is_err() {
                break;
            }
        }
        let seat = self.seat;
        // Acknowledgements of what was committed meanwhile, if the client still reads, and nobody waits for its place.
        tokio::select! {
            biased;
            _ = self.flush() => {}
            () = seat.is_needed() => {}
        }
    }

    async fn say_will(&mut self, will: Publish) {
        if let Some(topic) = self.front.topics.up(&will.topic)
            && let Ok(commit) = self.front.outbox.offer(&topic, will.payload.clone()).await
        {
            // Nobody is left to be told.
            let _ = commit.committed().await;
        }
        self.front.broker.route(&will.topic, will.payload, will.retain, None).await;
    }

    async fn flush(&mut self) -> Result<(), Broken> {
        if !self.out.is_empty() {
            self.seat.reads(false);
            write(&mut self.writer, &self.out).await?;
            self.seat.reads(true);
            self.out.clear();
        }
        Ok(())
    }
}

/// Waits until the first that is pending is decided.
async fn first(pending: &mut VecDeque<Pending>) -> Result<u64, Refusal> {
    match pending.front_mut() {
        None => std::future::pending().await,
        Some(Pending { commit: None, .. }) => Ok(0),
        Some(Pending { commit: Some(commit), .. }) => commit.await,
    }
}

/// The decision on the first that is pending, if it is there already.
async fn decided(pending: &mut VecDeque<Pending>) -> Option<Result<u64, Refusal>> {
    let front = pending.front_mut()?;
    let Some(commit) = &mut front.commit else { return Some(Ok(0)) };
    std::future::poll_fn(|context| match Pin::new(&mut *commit).poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), Broken> {
    match timeout(WRITE_LIMIT, stream.write_all(bytes)).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Broken),
    }
}
