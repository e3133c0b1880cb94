//! A tunnel for programs that know no key but a file: what they write to a local socket goes through mutual TLS, with the
//! key of this gateway, to one server.
//!
//! It carries bytes and knows no protocol. A connection has a thread of its own, because its handshake blocks while the key
//! signs.

mod carry;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;

use crate::dial::Dialler;
use crate::socket;
use crate::tls::Connector;
use carry::Carrier;

/// How long nobody is accepted after accepting failed, for lack of file descriptors for example.
const PAUSE: Duration = Duration::from_millis(100);

/// Where programs connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// A Unix socket, for its user and group.
    Socket(PathBuf),
    /// A loopback address.
    Address(SocketAddr),
}

/// How the tunnel is set up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Where programs connect to.
    pub entrance: Entrance,
    /// Makes the connections to the server.
    pub dialler: Dialler,
    /// Connections at once; more wait until one has ended.
    pub connections: usize,
    /// How long a connection may carry nothing before it is ended.
    pub idle: Duration,
    /// How long dialling and handshake may take together.
    pub connect_timeout: Duration,
}

impl Options {
    /// 16 connections, each ended after 10 minutes of silence.
    pub fn new(entrance: Entrance, dialler: Dialler) -> Self {
        Self {
            entrance,
            dialler,
            connections: 16,
            idle: Duration::from_secs(600),
            connect_timeout: Duration::from_secs(30),
        }
    }
}

/// The tunnel cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is not of the loopback.
    #[error(
        "{0} is not a loopback address: whoever may connect to it has the key of this gateway; listen on 127.0.0.1 or a Unix socket"
    )]
    Open(SocketAddr),
    /// The socket cannot be opened.
    #[error("cannot listen on {entrance}: {source}; is it in use, or its folder not writable for this user?")]
    Listen {
        /// Which.
        entrance: String,
        /// What the operating system said.
        source: io::Error,
    },
}

/// An open tunnel.
#[derive(Debug)]
pub struct Tunnel {
    listener: Listener,
    places: Arc<Semaphore>,
    carrier: Arc<Carrier>,
}

#[derive(Debug)]
enum Listener {
    Socket(UnixListener, PathBuf),
    Address(TcpListener),
}

impl Tunnel {
    /// Opens the entrance, on the current runtime. Nothing is dialled before somebody connects.
    ///
    /// # Errors
    /// When it cannot be opened, or is open to other machines.
    pub fn open(options: Options, connector: Connector) -> Result<Self, Error> {
        let Options { entrance, dialler, connections, idle, connect_timeout } = options;
        let listener = match &entrance {
            Entrance::Address(address) if !address.ip().is_loopback() => return Err(Error::Open(*address)),
            Entrance::Address(address) => {
                socket::bind_loopback(*address).and_then(TcpListener::from_std).map(Listener::Address)
            }
            Entrance::Socket(path) => {
                let listener = socket::bind_unix(path).and_then(UnixListener::from_std);
                listener.map(|listener| Listener::Socket(listener, path.clone()))
            }
        };
        let failed = |source| Error::Listen { entrance: entrance.to_string(), source };
        let carrier = Arc::new(Carrier { connector, dialler, idle, connect_timeout });
        Ok(Self {
            listener: listener.map_err(failed)?,
            places: Arc::new(Semaphore::new(connections)),
            carrier,
        })
    }

    /// The loopback address, with the port that was found for port 0.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.listener {
            Listener::Address(listener) => listener.local_addr().ok(),
            Listener::Socket(..) => None,
        }
    }

    /// Carries connections until `shutdown` comes. Those that are open then end with the process.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        tokio::select! {
            () = shutdown => {}
            () = self.accept() => {}
        }
    }

    async fn accept(&self) {
        loop {
            // The semaphore is never closed.
            let Ok(place) = self.places.clone().acquire_owned().await else { return };
            let accepted = match &self.listener {
                Listener::Socket(listener, _) => listener.accept().await.and_then(|(stream, _)| {
                    let stream = stream.into_std()?;
                    self.carrier.clone().start(place, move || tokio::net::UnixStream::from_std(stream))
                }),
                Listener::Address(listener) => listener.accept().await.and_then(|(stream, _)| {
                    stream.set_nodelay(true)?;
                    let stream = stream.into_std()?;
                    self.carrier.clone().start(place, move || tokio::net::TcpStream::from_std(stream))
                }),
            };
            if let Err(error) = accepted {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        if let Listener::Socket(_, path) = &self.listener {
            // Left behind it only costs the next start a look.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl std::fmt::Display for Entrance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(path) => path.display().fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}
