//! One connection through the tunnel, on its own thread.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{sleep_until, timeout};

use crate::dial::{self, Dialler};
use crate::tls::{Connector, Error};

/// Bytes on their way in each direction.
const BUFFER: usize = 16 * 1024;
/// Enough for a handshake, whose signature is verified on this thread.
const STACK: usize = 512 * 1024;

/// Carries connections to one server.
pub(super) struct Carrier {
    pub(super) connector: Connector,
    pub(super) dialler: Dialler,
    pub(super) idle: Duration,
    pub(super) connect_timeout: Duration,
}

/// Why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Dial(#[from] dial::Error),
    #[error("no connection to {server} within {limit:?}; is a firewall in the way?")]
    TooSlow { server: String, limit: Duration },
    #[error(transparent)]
    Tls(#[from] Error),
    #[error("ended after {0:?} without a byte (--idle)")]
    Idle(Duration),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Carrier {
    /// Starts the thread of a connection. `adopt` gives its runtime the local stream.
    pub(super) fn start<S: AsyncRead + AsyncWrite + Send + 'static>(
        self: Arc<Self>,
        place: OwnedSemaphorePermit,
        adopt: impl FnOnce() -> io::Result<S> + Send + 'static,
    ) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("tunnel".to_owned()).stack_size(STACK).spawn(move || {
            let carried = runtime.block_on(async { self.carry(adopt()?).await });
            if let Err(problem) = carried {
                tracing::warn!("tunnel: {problem}");
            }
            drop(place);
        })?;
        Ok(())
    }

    async fn carry(&self, local: impl AsyncRead + AsyncWrite) -> Result<(), Problem> {
        let limit = self.connect_timeout;
        let too_slow = |_| Problem::TooSlow { server: self.dialler.to_string(), limit };
        let remote = timeout(limit, self.connect()).await.map_err(too_slow)??;
        let ((from_local, to_local), (from_remote, to_remote)) = (split(local), split(remote));
        let (active, activity) = watch::channel(Instant::now());
        tokio::select! {
            carried = async {
                tokio::try_join!(pump(from_local, to_remote, &active), pump(from_remote, to_local, &active))
            } => carried.map(drop).or_else(|error| if is_end(&error) { Ok(()) } else { Err(error.into()) }),
            () = silence(activity, self.idle) => Err(Problem::Idle(self.idle)),
        }
    }

    async fn connect(&self) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Problem> {
        let (stream, handshake) = self.connector.connect(self.dialler.dial().await?).await?;
        tracing::debug!(version = handshake.version, suite = handshake.cipher_suite, "tunnel open");
        Ok(stream)
    }
}

/// One direction, up to its end, which is passed on.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    active: &watch::Sender<Instant>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..length]).await?;
        to.flush().await?;
        active.send_replace(Instant::now());
    }
}

/// Ends when nothing was carried for so long.
async fn silence(activity: watch::Receiver<Instant>, idle: Duration) {
    loop {
        let until = *activity.borrow() + idle;
        if until <= Instant::now() {
            return;
        }
        sleep_until(until.into()).await;
    }
}

/// How programs end connections without ceremony: no close_notify, or a reset.
fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | NotConnected | UnexpectedEof)
}

impl std::fmt::Debug for Carrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Carrier").field("dialler", &self.dialler).finish_non_exhaustive()
    }
}
