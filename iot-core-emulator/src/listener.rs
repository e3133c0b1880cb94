//! The two listeners.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::Error;
use crate::event::Listener;
use crate::front;
use crate::service::Service;

/// Connections that may be open at once on one listener; more wait.
const MOST_CONNECTIONS: usize = 256;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 128;

/// Both listeners, open or closed. Their addresses stay the same.
pub(crate) struct Listeners {
    service: Arc<Service>,
    addresses: [(Listener, SocketAddr); 2],
    open: Vec<JoinHandle<()>>,
}

impl Listeners {
    /// Binds both; a port 0 is replaced by the port that was found.
    pub(crate) fn open(service: Arc<Service>) -> Result<Self, Error> {
        let addresses =
            [(Listener::Mqtt, service.options.mqtt_address), (Listener::Alpn, service.options.alpn_address)];
        let mut listeners = Self { service, addresses, open: Vec::new() };
        listeners.resume()?;
        Ok(listeners)
    }

    /// The real address of a listener.
    pub(crate) fn address(&self, wanted: Listener) -> SocketAddr {
        let [(first, mqtt), (_, alpn)] = self.addresses;
        if first == wanted { mqtt } else { alpn }
    }

    /// Closes both, so that dialling is refused; open connections go on.
    pub(crate) async fn stop(&mut self) {
        for task in self.open.drain(..) {
            task.abort();
            // Ends with "cancelled"; only then is the socket closed.
            let _ = task.await;
        }
    }

    /// Opens both again on the same addresses; does nothing if they are open.
    pub(crate) fn resume(&mut self) -> Result<(), Error> {
        if !self.open.is_empty() {
            return Ok(());
        }
        let mut bound = Vec::new();
        for (_, address) in &mut self.addresses {
            let listener = bind(*address).map_err(|source| Error::Bind { address: *address, source })?;
            *address = listener.local_addr()?;
            bound.push(listener);
        }
        for (listener, (kind, _)) in bound.into_iter().zip(self.addresses) {
            self.open.push(tokio::spawn(accept(self.service.clone(), listener, kind)));
        }
        Ok(())
    }
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Old connections in TIME-WAIT must not keep the port from being opened again.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept(service: Arc<Service>, listener: TcpListener, kind: Listener) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((socket, _)) => {
                let served = front::serve(service.clone(), socket, kind);
                tokio::spawn(async move {
                    served.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!("EMULATOR of IoT Core: cannot accept a connection: {error}");
                // Out of file descriptors, for example: try again, but not in a tight loop.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}
