//! Any token, served to others on a Unix socket: containers, tests, programs that cannot load a module.

mod turns;

use std::{
    io,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use atecc::{
    Responses, Transport, Wanted,
    link::{About, AsFault, Attendant, Fault, Open, Server as FarEnd},
    packet::{Packet, Response},
};
pub use atecc_emulator::socket::ServeError;
use atecc_emulator::socket::Server;
use turns::Turns;

use super::socket::Socket;
use crate::{DeviceSpec, Error, LockError, TransportError, bus::Way, token::SharedBus};

/// What it calls itself.
const NAME: &str = concat!("atecc bridge ", env!("CARGO_PKG_VERSION"));

/// How long a request waits for the visitors before it and for other processes on the bus. Less than its host waits for
/// an answer, so that nothing is begun that nobody waits for any more: the host is told, and asks again.
const PATIENCE: Duration = Duration::from_secs(3);

/// A chip on a Unix socket, for specs `unix:SOCKET`. Who may write to the socket may use the chip.
#[derive(Debug)]
pub struct BridgeServer {
    server: Server,
    chip: Arc<Chip>,
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
        let chip = Arc::new(Chip::new(socket, SharedBus::new(spec, way)));
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

/// The chip that visitors share.
#[derive(Debug)]
struct Chip {
    socket: PathBuf,
    bus: Turns<SharedBus>,
    /// That of the bus, after the last turn.
    generation: AtomicU64,
}

impl Chip {
    fn new(socket: &Path, bus: SharedBus) -> Self {
        let generation = AtomicU64::new(bus.generation());
        Self { socket: socket.into(), bus: Turns::new(bus), generation }
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }
}

/// Serves one visitor until it goes, or the chip behind is opened anew: it may be another, and the visitor must look.
fn visit(stream: UnixStream, chip: &Chip, about: About<'_>) -> io::Result<()> {
    let mut stream = Socket::new(stream)?;
    let generation = chip.generation();
    let mut far_end = FarEnd::new(about);
    while chip.generation() == generation {
        far_end.poll(&mut stream, &mut Visitor(chip), &mut Open)?;
    }
    Ok(())
}

struct Visitor<'a>(&'a Chip);

impl Visitor<'_> {
    /// Has the chip for one transaction when it is this visitor's turn.
    fn in_turn<T>(
        &self,
        transact: impl FnOnce(&mut SharedBus) -> Result<T, TransportError>,
    ) -> Result<T, TransportError> {
        let Self(chip) = self;
        let start = Instant::now();
        let late = || LockError::Timeout { path: chip.socket.clone(), seconds: PATIENCE.as_secs() };
        let mut bus = chip.bus.take(PATIENCE).ok_or_else(late)?;
        bus.set_patience(PATIENCE.saturating_sub(start.elapsed()));
        let result = transact(&mut bus);
        chip.generation.store(bus.generation(), Ordering::SeqCst);
        result
    }
}

impl Transport for Visitor<'_> {
    type Error = TransportError;

    fn transact_attended(
        &mut self,
        commands: &[Packet],
        wanted: Wanted,
        responses: &mut Responses,
        attendant: &mut dyn Attendant,
    ) -> Result<usize, TransportError> {
        self.in_turn(|bus| bus.transact_attended(commands, wanted, responses, attendant))
    }

    fn converse(
        &mut self,
        plan: &[Packet],
        attendant: &mut dyn Attendant,
        next: &mut dyn FnMut(Option<&Response>) -> Option<Packet>,
    ) -> Result<(), TransportError> {
        self.in_turn(|bus| bus.converse(plan, attendant, next))
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
