//! Chips behind a bridge: firmware on a serial port, or another process on a socket.

mod port;
mod serve;
mod socket;

use std::{fmt, io, path::Path, time::Duration};

use atecc::{
    Responses, Transport, Wanted,
    link::{Attendant, Client, Error, Stream},
    packet::{Packet, Response},
};

pub use port::DEFAULT_RATE;
pub(crate) use port::is_rate;
pub use serve::{BridgeServer, ServeError};

use crate::{Error as TokenError, TransportError, bus::TransportError as Fault, lock::BusLock};
use port::Port;
use socket::Socket;

/// The client of a bridge.
pub(crate) struct Bridge {
    client: Client<Line>,
    requests: u64,
}

impl Bridge {
    /// The bridge on the serial port `node`, at `rate` baud if it can, with the lock of the port.
    pub(crate) fn on_port(node: &Path, rate: u32) -> Result<(Self, BusLock, bool), TokenError> {
        let lock = BusLock::on_tty(node)?;
        let unusable = |source| TokenError::SerialPort { node: node.into(), source };
        let port = {
            let _guard = lock.acquire()?;
            let mut port = Port::open(lock.path()).map_err(unusable)?;
            port.discard().map_err(unusable)?;
            port
        };
        let mut bridge = Self::new(Line::Port(port))?;
        let is_emulated = {
            let _guard = lock.acquire()?;
            bridge.find(rate).map_err(|source| TokenError::Bridge { place: node.into(), source })?
        };
        Ok((bridge, lock, is_emulated))
    }

    /// The bridge on the Unix socket `path`.
    pub(crate) fn on_socket(path: &Path) -> Result<(Self, bool), TokenError> {
        let socket = Socket::connect(path)
            .map_err(|source| TokenError::BridgeSocket { socket: path.into(), source })?;
        let mut bridge = Self::new(Line::Socket(socket))?;
        let is_emulated =
            bridge.is_emulated().map_err(|source| TokenError::Bridge { place: path.into(), source })?;
        Ok((bridge, is_emulated))
    }

    fn new(line: Line) -> Result<Self, TokenError> {
        // Answers to another process, or to an earlier run of this one, are told from ours by it.
        let sequence = getrandom::u32().map_err(|source| TokenError::NoRandom { source: source.into() })?;
        Ok(Self { client: Client::new(line, sequence), requests: 0 })
    }

    /// Lets go of the line: as long as it is open, the kernel keeps a port that was pulled.
    pub(crate) fn close(&mut self) {
        *self.client.stream_mut() = Line::Closed;
    }

    /// Requests so far.
    pub(crate) const fn requests(&self) -> u64 {
        self.requests
    }

    fn is_emulated(&mut self) -> Result<bool, Error<io::Error>> {
        use atecc::link::Capabilities;
        let welcome = self.client.hello()?;
        tracing::debug!(name = welcome.name.as_str(), "a bridge answers");
        Ok(welcome.capabilities.contains(Capabilities::EMULATED))
    }

    /// Finds the rate at which the far end listens, and goes on to `rate` from the base rate. Says whether the chip is
    /// emulated.
    fn find(&mut self, rate: u32) -> Result<bool, Error<io::Error>> {
        use atecc::link::{BASE_RATE, Capabilities};
        let present = self.client.stream_mut().rate();
        // Another process may have changed it, for all: the rate is the port's.
        let is_found = present.is_some_and(|present| present != BASE_RATE && is_rate(present))
            && self.client.try_hello().is_ok();
        if !is_found {
            self.client.stream_mut().set_rate(BASE_RATE).map_err(Error::Stream)?;
            self.client.hello()?;
            if rate != BASE_RATE && !self.client.change_rate(rate)? {
                tracing::info!(rate, "the bridge stays at {BASE_RATE} baud");
            }
        }
        Ok(self.client.welcome()?.capabilities.contains(Capabilities::EMULATED))
    }
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge").field("requests", &self.requests).finish_non_exhaustive()
    }
}

impl Transport for Bridge {
    type Error = TransportError;

    fn transact_attended(
        &mut self,
        commands: &[Packet],
        wanted: Wanted,
        responses: &mut Responses,
        attendant: &mut dyn Attendant,
    ) -> Result<usize, Fault> {
        self.requests += 1;
        self.client.transact_attended(commands, wanted, responses, attendant).map_err(TransportError::Link)
    }

    fn converse(
        &mut self,
        plan: &[Packet],
        attendant: &mut dyn Attendant,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), Fault> {
        self.requests += 1;
        self.client.converse(plan, attendant, next).map_err(TransportError::Link)
    }
}

/// Any of the streams.
enum Line {
    Port(Port),
    Socket(Socket),
    Closed,
}

impl Line {
    fn rate(&self) -> Option<u32> {
        match self {
            Self::Port(port) => port.rate(),
            Self::Socket(_) | Self::Closed => None,
        }
    }
}

impl Stream for Line {
    type Error = io::Error;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        match self {
            Self::Port(port) => port.read(buffer, limit),
            Self::Socket(socket) => socket.read(buffer, limit),
            Self::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Port(port) => port.write(bytes),
            Self::Socket(socket) => socket.write(bytes),
            Self::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn now(&mut self) -> Duration {
        match self {
            Self::Port(port) => port.now(),
            Self::Socket(socket) => socket.now(),
            Self::Closed => Duration::ZERO,
        }
    }

    fn has_rate(&mut self, rate: u32) -> bool {
        matches!(self, Self::Port(_)) && is_rate(rate)
    }

    fn set_rate(&mut self, rate: u32) -> io::Result<()> {
        match self {
            Self::Port(port) => port.set_rate(rate),
            Self::Socket(_) | Self::Closed => Ok(()),
        }
    }
}
