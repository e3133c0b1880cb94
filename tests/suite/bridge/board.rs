//! A board on a pseudo-terminal: the far end of the protocol with an emulated chip behind it, a cable, and a person who
//! is asked to touch it.

use std::{
    fs, io,
    os::{fd::AsRawFd, unix::fs::symlink},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use atecc::{
    command,
    i2c::I2cTransport,
    link::{About, Asked, Decision, Fault, Gate, Origin, Server, Stream, Verdict},
    packet::Packet,
};
use atecc_emulator::{Bus, Chip, Clock, Pace, provision};
use serial2::SerialPort;
use tempfile::TempDir;

type Transport = I2cTransport<Bus, Clock>;

/// Who or what decides at the board about signatures and HMACs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum AtDevice {
    /// Nobody: every command passes.
    #[default]
    Open,
    /// A policy without signatures.
    Policy,
    /// Somebody who says no.
    Denies,
    /// Somebody who is asked and does not come in this time.
    Away(Duration),
    /// Somebody who is asked and comes after this time.
    Comes(Duration),
}

/// How long somebody who comes may take.
const QUESTION_LIMIT: Duration = Duration::from_secs(30);

/// A board whose port has a name that stays.
pub(crate) struct Board {
    folder: TempDir,
    serial_number: String,
    state: Arc<State>,
    running: Option<JoinHandle<Transport>>,
}

#[derive(Default)]
struct State {
    is_pulled: AtomicBool,
    at_device: Mutex<AtDevice>,
    asked: AtomicUsize,
    questions: AtomicUsize,
    withdrawn: AtomicUsize,
    requests: AtomicUsize,
    last_answer: AtomicUsize,
    rate: AtomicU32,
}

impl Board {
    pub(crate) fn new() -> Self {
        let eeprom = provision::tng_tls().unwrap();
        let serial_number = eeprom.configuration().serial_number().to_string();
        let clock = Clock::new_virtual();
        let bus = Bus::new(Chip::new(eeprom, Pace::Instant), clock.clone(), Bus::STANDARD_HERTZ);
        let transport = I2cTransport::new(bus, clock, atecc::i2c::TRUST_AND_GO_ADDRESS);
        let mut board = Self {
            folder: tempfile::tempdir().unwrap(),
            serial_number,
            state: Arc::default(),
            running: None,
        };
        board.plug(transport);
        board
    }

    pub(crate) fn device(&self) -> String {
        format!("serial:{}", self.port().display())
    }

    /// From now on it is this that decides about signatures.
    pub(crate) fn set_at_device(&self, at_device: AtDevice) {
        *self.state.at_device.lock().unwrap() = at_device;
    }

    /// How often somebody was asked for a touch and answered, or did not come.
    pub(crate) fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// How many questions there were.
    pub(crate) fn questions(&self) -> usize {
        self.state.questions.load(Ordering::SeqCst)
    }

    /// How often a question was taken back before its time was over.
    pub(crate) fn withdrawn(&self) -> usize {
        self.state.withdrawn.load(Ordering::SeqCst)
    }

    pub(crate) fn port(&self) -> PathBuf {
        self.folder.path().join("usb-board")
    }

    pub(crate) fn serial_number(&self) -> String {
        self.serial_number.clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// Bytes of the last answer.
    pub(crate) fn last_answer(&self) -> usize {
        self.state.last_answer.load(Ordering::SeqCst)
    }

    /// The rate that the board runs at.
    pub(crate) fn rate(&self) -> u32 {
        self.state.rate.load(Ordering::SeqCst)
    }

    pub(crate) fn pull(&mut self) {
        self.state.is_pulled.store(true, Ordering::SeqCst);
        let transport = self.running.take().unwrap().join().unwrap();
        fs::remove_file(self.port()).unwrap();
        self.running = Some(thread::spawn(move || transport));
    }

    pub(crate) fn put_back(&mut self) {
        let transport = self.running.take().unwrap().join().unwrap();
        self.plug(transport);
    }

    fn plug(&mut self, transport: Transport) {
        self.state.is_pulled.store(false, Ordering::SeqCst);
        let (board, line) = SerialPort::pair().unwrap();
        symlink(name(&line), self.port()).unwrap();
        let state = Arc::clone(&self.state);
        self.running = Some(thread::spawn(move || {
            // The line stays open, as the kernel has it open, until the plug is pulled.
            let (_line, mut transport) = (line, transport);
            let about =
                About { name: "board of the tests", is_emulated: true, may_ask: true, ..About::default() };
            let mut gate = Doorkeeper(Arc::clone(&state));
            let mut server = Server::new(about);
            let mut stream = Port { port: board, start: Instant::now(), state: Arc::clone(&state) };
            while !state.is_pulled.load(Ordering::SeqCst) {
                server.poll(&mut stream, &mut transport, &mut gate).unwrap();
            }
            transport
        }));
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.state.is_pulled.store(true, Ordering::SeqCst);
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}

/// The device node of an open terminal.
pub(crate) fn name(line: &SerialPort) -> String {
    fs::read_link(format!("/proc/self/fd/{}", line.as_raw_fd())).unwrap().display().to_string()
}

/// Has signatures decided on by what is at the board.
struct Doorkeeper(Arc<State>);

impl Doorkeeper {
    fn at_device(&self) -> AtDevice {
        *self.0.at_device.lock().unwrap()
    }
}

impl Gate for Doorkeeper {
    fn decide(&mut self, asked: &Asked<'_>) -> Decision {
        let uses = asked.packets.iter().find(|packet| uses_secret(packet));
        let decision = match (uses, self.at_device()) {
            // At the beginning of a lease it was asked for, and in no other way it gets here.
            (Some(_), AtDevice::Comes(_)) if asked.origin == Origin::LeaseNext => Decision::Allow,
            (None, _) | (_, AtDevice::Open) => Decision::Allow,
            (Some(packet), AtDevice::Policy) => Decision::Refuse(Fault::Refused { opcode: packet.opcode() }),
            (Some(_), AtDevice::Denies) => Decision::Ask(Duration::from_secs(10)),
            (Some(_), AtDevice::Away(limit)) => Decision::Ask(limit),
            (Some(_), AtDevice::Comes(_)) => Decision::Ask(QUESTION_LIMIT),
        };
        self.0.questions.fetch_add(usize::from(matches!(decision, Decision::Ask(_))), Ordering::SeqCst);
        decision
    }

    fn verdict(&mut self, _: &Asked<'_>, left: Duration) -> Verdict {
        let verdict = match self.at_device() {
            AtDevice::Denies => Verdict::Deny,
            AtDevice::Comes(after) if QUESTION_LIMIT.saturating_sub(left) >= after => Verdict::Allow,
            _ => Verdict::Waiting,
        };
        if left.is_zero() || verdict != Verdict::Waiting {
            self.0.asked.fetch_add(1, Ordering::SeqCst);
        }
        verdict
    }

    fn withdrawn(&mut self, _: &Asked<'_>, fault: Fault) {
        self.0.withdrawn.fetch_add(usize::from(fault == Fault::Cancelled), Ordering::SeqCst);
    }
}

/// Sign, or the beginning of an HMAC.
fn uses_secret(packet: &Packet) -> bool {
    match command::name(packet.opcode()) {
        "Sign" => true,
        "SHA" => packet.param1() & 0x07 == 0x04,
        _ => false,
    }
}

struct Port {
    port: SerialPort,
    start: Instant,
    state: Arc<State>,
}

impl Stream for Port {
    type Error = io::Error;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        self.port.set_read_timeout(limit.max(Duration::from_millis(1)))?;
        match self.port.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(0),
            result => result,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.state.requests.fetch_add(1, Ordering::SeqCst);
        self.state.last_answer.store(bytes.len(), Ordering::SeqCst);
        self.port.write_all(bytes)
    }

    fn now(&mut self) -> Duration {
        self.start.elapsed()
    }

    fn has_rate(&mut self, rate: u32) -> bool {
        rate <= 921_600
    }

    fn set_rate(&mut self, rate: u32) -> io::Result<()> {
        self.state.rate.store(rate, Ordering::SeqCst);
        Ok(())
    }
}
