//! How a TCP connection to the server comes about: straight or through a proxy, over IPv6 or IPv4.
//!
//! Whoever wants a connection makes a [`Dialler`] once and dials with it as often as needed. TLS comes after it, and only TLS
//! tells who is at the other end: a proxy and a name server can withhold the server, but not stand in for it.

mod addresses;
mod destination;
mod environment;
mod error;
mod http;
mod proxy;
mod socks;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

pub use destination::Destination;
pub use environment::proxy_of_environment;
pub use error::Error;
pub use proxy::{Kind, Password, Proxy};

/// How long a proxy may take to connect us.
const PROXY_LIMIT: Duration = Duration::from_secs(30);
/// Addresses that a proxy is asked for, one after the other, where names are looked up here.
const MOST_BY_PROXY: usize = 4;

/// Makes TCP connections to one destination.
#[derive(Clone, Debug)]
pub struct Dialler {
    destination: Destination,
    proxy: Option<Proxy>,
    /// The address that answered last, for the time when the name cannot be looked up.
    known: Arc<Mutex<Option<SocketAddr>>>,
}

impl Dialler {
    /// A dialler to `destination`, through `proxy` if there is one.
    #[must_use]
    pub fn new(destination: Destination, proxy: Option<Proxy>) -> Self {
        Self { destination, proxy, known: Arc::default() }
    }

    /// Dials. Each address of a name has its chance and its limit; the whole is for the caller to limit.
    ///
    /// # Errors
    /// When the name has no address, nobody answers, or the proxy refuses.
    pub async fn dial(&self) -> Result<TcpStream, Error> {
        let stream = match &self.proxy {
            None => self.reach(&self.destination).await?,
            Some(proxy) => self.through(proxy).await?,
        };
        // Small packets that somebody waits for; Nagle's algorithm would only delay them.
        let address = || self.to_string();
        stream.set_nodelay(true).map_err(|source| Error::Connect { address: address(), source })?;
        Ok(stream)
    }

    async fn through(&self, proxy: &Proxy) -> Result<TcpStream, Error> {
        if proxy.kind() != Kind::Socks5 {
            return self.tunnel(proxy, &self.destination).await;
        }
        let mut refused = None;
        for address in addresses::look_up(&self.destination).await?.into_iter().take(MOST_BY_PROXY) {
            match self.tunnel(proxy, &address.into()).await {
                // Another address may be within its reach.
                Err(error @ Error::ProxyRefused { .. }) => drop(refused.get_or_insert(error)),
                other => return other,
            }
        }
        Err(refused.unwrap_or_else(|| Error::Lookup {
            host: self.destination.host().to_owned(),
            source: std::io::ErrorKind::NotFound.into(),
        }))
    }

    /// A new connection to `proxy`, which connects it to `destination`.
    async fn tunnel(&self, proxy: &Proxy, destination: &Destination) -> Result<TcpStream, Error> {
        let unreachable =
            |source: Error| Error::ProxyUnreachable { proxy: proxy.to_string(), source: Box::new(source) };
        let stream = self.reach(proxy.destination()).await.map_err(unreachable)?;
        let tunnel = async {
            match proxy.kind() {
                Kind::Http => http::tunnel(stream, proxy, destination).await,
                Kind::Socks5 | Kind::Socks5h => socks::tunnel(stream, proxy, destination).await,
            }
        };
        timeout(PROXY_LIMIT, tunnel).await.unwrap_or_else(|_| {
            let problem = format!("none came within {PROXY_LIMIT:?}");
            Err(Error::ProxyAnswer { proxy: proxy.to_string(), problem })
        })
    }

    /// A connection to what is dialled first: the proxy, or the destination itself.
    async fn reach(&self, destination: &Destination) -> Result<TcpStream, Error> {
        let known = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let candidates = match (addresses::look_up(destination).await, known) {
            (Ok(candidates), _) => candidates,
            (Err(error), None) => return Err(error),
            (Err(error), Some(known)) => {
                tracing::warn!(address = %known, "{error}; the address of last time is tried");
                vec![known]
            }
        };
        let stream = addresses::first_to_answer(candidates)
            .await
            .map_err(|(address, source)| Error::Connect { address: address.to_string(), source })?;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = stream.peer_addr().ok();
        Ok(stream)
    }
}

/// `host:port`, and behind it the way there, if it is not straight.
impl std::fmt::Display for Dialler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.proxy {
            None => self.destination.fmt(f),
            Some(proxy) => write!(f, "{} through {proxy}", self.destination),
        }
    }
}
