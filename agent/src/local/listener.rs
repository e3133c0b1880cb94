//! The sockets of the listener.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::{JoinHandle, JoinSet};

use super::Options;
use super::door::{Door, Strangers};
use super::front::Front;
use super::seats::Seats;
use super::user::User;
use crate::socket;

/// How long nobody is accepted after accepting failed, for lack of file descriptors for example.
const PAUSE: Duration = Duration::from_millis(100);

/// A socket cannot be opened.
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
    #[error(
        "cannot listen on {address}: {source}; is another broker running? Choose another port for `listen` in [local]"
    )]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Opens what is configured, and serves it.
pub(super) fn open(
    options: &Options,
    seats: &Arc<Seats>,
    front: Arc<Front>,
) -> Result<(Option<SocketAddr>, Vec<JoinHandle<()>>), Error> {
    let mut tasks = Vec::new();
    if let Some(path) = &options.socket {
        let failed = |source| Error::Socket { path: path.clone(), source };
        let listener = socket::bind_unix(path).map_err(failed)?;
        let listener = UnixListener::from_std(listener).map_err(failed)?;
        let accept = async move |listener: &UnixListener| {
            let (stream, _) = listener.accept().await?;
            let user = stream.peer_cred()?.uid();
            Ok((stream, User::Id(user)))
        };
        tasks.push(tokio::spawn(serve(listener, accept, seats.clone(), front.clone())));
    }
    let mut found = None;
    if let Some(address) = options.listen {
        let failed = |source| Error::Address { address, source };
        let listener = socket::bind_loopback(address).map_err(failed)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        found = Some(listener.local_addr().map_err(failed)?);
        let accept = async move |listener: &TcpListener| {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true).map(|()| (stream, User::Port))
        };
        tasks.push(tokio::spawn(serve(listener, accept, seats.clone(), front)));
    }
    Ok((found, tasks))
}

async fn serve<L, S: AsyncRead + AsyncWrite + Send + 'static>(
    listener: L,
    accept: impl AsyncFn(&L) -> io::Result<(S, User)>,
    seats: Arc<Seats>,
    front: Arc<Front>,
) {
    // Its drop ends the clients.
    let mut clients = JoinSet::new();
    let mut strangers = Strangers::default();
    loop {
        let pause = strangers.pause();
        let accepted = async {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            accept(&listener).await
        };
        tokio::select! {
            accepted = accepted => match accepted {
                Ok((stream, user)) => {
                    let (front, door) = (front.clone(), Door::new(seats.clone(), user));
                    let passed = door.passed();
                    let client = clients.spawn(async move { front.serve(stream, door).await });
                    strangers.add(user, client, passed);
                }
                Err(error) => {
                    tracing::warn!("cannot accept a local client: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(_) = clients.join_next() => {}
        }
    }
}
