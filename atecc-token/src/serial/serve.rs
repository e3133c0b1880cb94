//! Any token, served to others on a Unix socket: containers, tests, programs that cannot load a module.

use std::{
    io,
    os::unix::net::UnixStream,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use atecc::{
    Responses, Transport,
    link::{About, AsFault, Fault, Open, Server as FarEnd},
    packet::{Packet, Response},
};
pub use atecc_emulator::socket::ServeError;
use atecc_emulator::socket::Server;

use super::socket::Socket;
use crate::{DeviceSpec, Error, TransportError, bus::Way, token::SharedBus};

/// What it calls itself.
const NAME: &str = concat!("atecc bridge ", env!("CARGO_PKG_VERSION"));

/// A chip on a Unix socket, for specs `unix:SOCKET`. Who may write to the socket may use the chip.
#[derive(Debug)]
pub struct BridgeServer {
    server: Server,
    chip: Arc<Mutex<SharedBus>>,
    is_emulated: bool,
    run: u32,
}

impl BridgeServer {
    /// Opens the chip that `spec` names and listens on `socket`. The chip is not spoken to.
    ///
    /// # Errors
    /// When there is no such device, or the socket cannot be made.
    pub fn bind(spec: &DeviceSpec, socket: &Path) -> Result<Self, Error> {
        let way = Way::open(spec)?;
        let is_emulated = way.is_emulated;
        let chip = Arc::new(Mutex::new(SharedBus::new(spec, way)));
        let server = Server::bind(socket)?;
        let run = getrandom::u32().map_err(|source| Error::NoRandom { source: source.into() })?;
        Ok(Self { server, chip, is_emulated, run })
    }

    /// Whether the chip is software, however far away.
    pub const fn is_emulated(&self) -> bool {
        self.is_emulated
    }

    /// Serves until [`stop`](Self::stop), a thread per visitor. Between their transactions the chip sleeps.
    pub fn run(&self) {
        let chip = Arc::clone(&self.chip);
        let about = About { name: NAME, is_emulated: self.is_emulated, may_ask: true, run: self.run };
        self.server.run_each(move |stream| visit(stream, &chip, about));
    }

    /// Makes [`run`](Self::run) return.
    pub fn stop(&self) {
        self.server.stop();
    }
}

/// Serves one visitor until it goes, or the chip behind is opened anew: it may be another, and the visitor must look.
fn visit(stream: UnixStream, chip: &Mutex<SharedBus>, about: About<'_>) -> io::Result<()> {
    let mut stream = Socket::new(stream)?;
    let mut visitor = Visitor { chip };
    let generation = visitor.chip().generation();
    let mut far_end = FarEnd::new(about);
    while visitor.chip().generation() == generation {
        far_end.poll(&mut stream, &mut visitor, &mut Open)?;
    }
    Ok(())
}

struct Visitor<'a> {
    chip: &'a Mutex<SharedBus>,
}

impl Visitor<'_> {
    fn chip(&self) -> MutexGuard<'_, SharedBus> {
        // A thread that panicked left no state behind that the next transaction would not begin anew.
        self.chip.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Visitor<'_> {
    type Error = TransportError;

    fn transact(&mut self, commands: &[Packet], responses: &mut Responses) -> Result<(), TransportError> {
        self.chip().transact(commands, responses)
    }

    fn transact_for_last(
        &mut self,
        commands: &[Packet],
        responses: &mut Responses,
    ) -> Result<usize, TransportError> {
        self.chip().transact_for_last(commands, responses)
    }

    fn converse(
        &mut self,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), TransportError> {
        self.chip().converse(next)
    }
}

impl AsFault for TransportError {
    fn as_fault(&self) -> Fault {
        match self {
            Self::Lock(_) => Fault::Busy,
            Self::Bus(error) => error.as_fault(),
            Self::Link(error) => error.as_fault(),
            Self::AnotherChip { .. } | Self::NotReopened(_) | Self::Gone(_) => Fault::NoChip,
        }
    }
}
