//! The sockets on which the status is asked for.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::Monitor;
use super::answer::{Desk, Way};
use super::http::{Request, Response};
use crate::config;
use crate::socket;

/// Visitors at once. One more, and the oldest must go: who was served is gone already, and who dawdles is in the way.
const VISITORS: usize = 16;
/// How long the headers of a request may take.
const HEADER_LIMIT: Duration = Duration::from_secs(5);
/// How long a whole visit may take, of one request each.
const VISIT_LIMIT: Duration = Duration::from_secs(10);
/// How long nobody is accepted after accepting failed, for lack of file descriptors for example.
const PAUSE: Duration = Duration::from_millis(100);

/// The status cannot be offered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The Unix socket.
    #[error(
        "cannot listen on {path}: {source}; its folder must exist, and this user must be allowed to write there"
    )]
    Socket {
        /// Its path.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The loopback address.
    #[error("cannot listen on {address}: {source}; choose another port for `listen` in [status]")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// No thread for it.
    #[error("cannot start the thread that answers for the status: {0}")]
    Thread(#[source] io::Error),
}

/// Answers requests until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: Option<SocketAddr>,
    socket: Option<PathBuf>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Opens what `config` names, which may be nothing, and answers there for `monitor`.
    ///
    /// # Errors
    /// When a socket cannot be opened.
    pub fn start(config: &config::Status, monitor: &Monitor) -> Result<Self, Error> {
        let port = config.listen.map(|address| {
            let failed = |source| Error::Address { address, source };
            let listener = socket::bind_loopback(address).map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            Ok::<_, Error>((listener, address))
        });
        let port = port.transpose()?;
        let address = port.as_ref().map(|(_, address)| *address);
        let unix = config.socket.as_deref().map(|path| {
            socket::bind_unix(path).map_err(|source| Error::Socket { path: path.to_owned(), source })
        });
        let unix = unix.transpose()?;
        let (stop, stopped) = oneshot::channel();
        let mut server = Self { address, socket: config.socket.clone(), stop: Some(stop), thread: None };
        if port.is_none() && unix.is_none() {
            return Ok(server);
        }
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
        let desk = Arc::new(Desk { monitor: monitor.clone(), hosts: config.hosts.clone() });
        let serve = async move {
            let visitors = Arc::new(Visitors::default());
            if let Some((listener, _)) = port {
                let accept = async |listener: &TcpListener| listener.accept().await.map(|(stream, _)| stream);
                match TcpListener::from_std(listener) {
                    Ok(listener) => {
                        drop(tokio::spawn(run(listener, accept, Way::Port, visitors.clone(), desk.clone())))
                    }
                    Err(error) => tracing::error!("the status cannot be asked for: {error}"),
                }
            }
            if let Some(listener) = unix {
                let accept =
                    async |listener: &UnixListener| listener.accept().await.map(|(stream, _)| stream);
                match UnixListener::from_std(listener) {
                    Ok(listener) => drop(tokio::spawn(run(listener, accept, Way::Socket, visitors, desk))),
                    Err(error) => tracing::error!("the status cannot be asked for: {error}"),
                }
            }
            // Ends when the sender is dropped.
            let _ = stopped.await;
        };
        let thread = thread::Builder::new().name("status".to_owned()).spawn(move || runtime.block_on(serve));
        server.thread = Some(thread.map_err(Error::Thread)?);
        Ok(server)
    }

    /// One that answers nobody.
    pub fn none() -> Self {
        Self { address: None, socket: None, stop: None, thread: None }
    }

    /// The loopback address, with the port that was found for port 0.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The port is free when this returns.
            let _ = thread.join();
        }
        if let Some(socket) = &self.socket {
            // Left behind it only costs the next start a look.
            let _ = std::fs::remove_file(socket);
        }
    }
}

/// Who is being served.
#[derive(Debug, Default)]
struct Visitors(Mutex<VecDeque<AbortHandle>>);

impl Visitors {
    fn add(&self, visitor: AbortHandle) {
        let mut visitors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        visitors.retain(|visitor| !visitor.is_finished());
        if visitors.len() >= VISITORS
            && let Some(oldest) = visitors.pop_front()
        {
            oldest.abort();
        }
        visitors.push_back(visitor);
    }
}

async fn run<L, S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    listener: L,
    accept: impl AsyncFn(&L) -> io::Result<S>,
    way: Way,
    visitors: Arc<Visitors>,
    desk: Arc<Desk>,
) {
    loop {
        match accept(&listener).await {
            Ok(stream) => visitors.add(tokio::spawn(visit(stream, way, desk.clone())).abort_handle()),
            Err(error) => {
                tracing::debug!("cannot accept a visitor of the status: {error}");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn visit(mut stream: impl AsyncRead + AsyncWrite + Unpin, way: Way, desk: Arc<Desk>) {
    let visit = async {
        let read = timeout(HEADER_LIMIT, Request::read(&mut stream)).await??;
        let (response, head_only) = match read {
            Ok(request) => (desk.answer(&request, way), request.method == "HEAD"),
            Err(status) => (Response::new(status, "text/plain", ""), false),
        };
        response.write(&mut stream, head_only).await
    };
    // What a visitor does wrong is the visitor's problem.
    let _ = timeout(VISIT_LIMIT, visit).await;
}
