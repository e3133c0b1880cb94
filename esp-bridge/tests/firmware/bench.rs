//! The firmware between a host that speaks through a socket and an emulated chip whose wires can be pulled.

use std::{
    collections::VecDeque,
    io,
    os::unix::net::UnixStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use atecc::{
    Device, Error,
    i2c::I2cTransport,
    link::{About, Client, Error as LinkError, Fault, Stream},
};
use atecc_emulator::{Bus, Chip, Clock, Pace, provision::Personality};
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
use esp_bridge::{
    firmware::Firmware,
    gate::Face,
    session::Session,
    state::State,
    touch::{Meaning, Press, TouchPolicy},
};

pub(crate) const DIGEST: [u8; 32] = [0x5a; 32];

/// What the firmware and the test both see.
#[derive(Default)]
pub(crate) struct World {
    /// What somebody will do as soon as a question is there.
    pub(crate) fingers: VecDeque<Meaning>,
    /// Whether somebody unlocks the device.
    pub(crate) unlocks: bool,
    pub(crate) shown: Vec<State>,
}

pub(crate) type Shared = Arc<Mutex<World>>;

/// A face that presses by itself.
pub(crate) struct Robot {
    world: Shared,
    start: Instant,
    asked: Option<Duration>,
}

impl Face for Robot {
    fn now(&mut self) -> Duration {
        self.start.elapsed()
    }

    fn press(&mut self) -> Option<Press> {
        let now = self.start.elapsed();
        let mut world = self.world.lock().unwrap();
        if std::mem::take(&mut world.unlocks) {
            return Some(Press { meaning: Meaning::Unlock, since: now });
        }
        // A person needs a moment to read.
        if now < self.asked? + Duration::from_millis(450) {
            return None;
        }
        let meaning = world.fingers.pop_front()?;
        Some(Press { meaning, since: now })
    }

    fn show(&mut self, session: &Session, now: Duration) {
        self.asked = matches!(session.state(), State::Asking(_)).then_some(now);
        self.world.lock().unwrap().shown.push(session.state());
    }

    fn animate(&mut self, _session: &Session, _now: Duration) {}

    fn feed(&mut self) {}
}

pub(crate) struct Line(pub(crate) UnixStream, pub(crate) Instant);

impl Stream for Line {
    type Error = io::Error;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        self.0.set_read_timeout(Some(limit.max(Duration::from_millis(1))))?;
        match io::Read::read(&mut self.0, buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            result => result,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        io::Write::write_all(&mut self.0, bytes)
    }

    fn now(&mut self) -> Duration {
        self.1.elapsed()
    }
}

/// The emulated bus, with wires that can be pulled and shorted.
pub(crate) struct Wires {
    bus: Bus,
    pulled: Arc<AtomicBool>,
    shorted: Arc<AtomicBool>,
}

impl ErrorType for Wires {
    type Error = ErrorKind;
}

impl I2c for Wires {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        if self.shorted.load(Ordering::Relaxed) {
            return Err(ErrorKind::Bus);
        }
        if self.pulled.load(Ordering::Relaxed) {
            return Err(ErrorKind::NoAcknowledge(embedded_hal::i2c::NoAcknowledgeSource::Address));
        }
        self.bus.transaction(address, operations).map_err(|error| embedded_hal::i2c::Error::kind(&error))
    }
}

pub(crate) struct Bench {
    pub(crate) world: Shared,
    pub(crate) pulled: Arc<AtomicBool>,
    pub(crate) shorted: Arc<AtomicBool>,
    pub(crate) port: UnixStream,
    /// The far end of another port, which the device shall have instead of this one.
    pub(crate) plugged: Mutex<Option<UnixStream>>,
}

impl Bench {
    pub(crate) fn host(&self) -> Device<Client<Line>> {
        Self::host_on(&self.port)
    }

    pub(crate) fn host_on(port: &UnixStream) -> Device<Client<Line>> {
        // Each host begins somewhere else, as the protocol wants it.
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let sequence = NEXT.fetch_add(10_000, Ordering::Relaxed);
        Device::new(Client::new(Line(port.try_clone().unwrap(), Instant::now()), sequence))
    }

    pub(crate) fn will(&self, meaning: Meaning) {
        self.world.lock().unwrap().fingers.push_back(meaning);
    }

    /// Waits until the device has shown a state that `is_it`, and forgets what it showed.
    pub(crate) fn wait_for(&self, is_it: impl Fn(&State) -> bool) {
        let start = Instant::now();
        while !self.world.lock().unwrap().shown.iter().any(&is_it) {
            assert!(start.elapsed() < Duration::from_secs(20), "{:?}", self.world.lock().unwrap().shown);
            thread::sleep(Duration::from_millis(10));
        }
        self.world.lock().unwrap().shown.clear();
    }
}

pub(crate) fn firmware(
    personality: Personality,
    pulled: Arc<AtomicBool>,
    shorted: Arc<AtomicBool>,
    session: Session,
    world: Shared,
) -> Firmware<'static, I2cTransport<Wires, Clock>, Robot> {
    let clock = Clock::new_virtual();
    let chip = Chip::new(personality.make().unwrap(), Pace::Typical);
    let address = chip.i2c_address();
    let bus = Bus::new(chip, clock.clone(), Bus::STANDARD_HERTZ);
    let chip = I2cTransport::new(Wires { bus, pulled, shorted }, clock, address);
    let about = About { name: "test", is_emulated: true, may_ask: true, run: 7 };
    Firmware::new(about, chip, session, Robot { world, start: Instant::now(), asked: None })
}

/// Runs `test` beside a firmware that is ready, with a Trust&GO chip.
pub(crate) fn with_firmware(touch: TouchPolicy, test: impl FnOnce(&Bench)) {
    with_chip(Personality::TngTls3, touch, test);
}

pub(crate) fn with_chip(personality: Personality, touch: TouchPolicy, test: impl FnOnce(&Bench)) {
    let (port, far) = UnixStream::pair().unwrap();
    let bench = Bench {
        world: Shared::default(),
        pulled: Arc::default(),
        shorted: Arc::default(),
        port,
        plugged: Mutex::default(),
    };
    let (world, pulled, shorted) = (bench.world.clone(), bench.pulled.clone(), bench.shorted.clone());
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let start = Instant::now();
            let mut firmware = firmware(personality, pulled, shorted, Session::new(touch), world);
            let mut line = Line(far, start);
            while !stop.load(Ordering::Relaxed) {
                if let Some(far) = bench.plugged.lock().unwrap().take() {
                    line = Line(far, start);
                }
                firmware.poll(&mut line);
            }
        });
        // The firmware is stopped whatever becomes of the test.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            bench.wait_for(|state| *state == State::Ready);
            test(&bench);
        }));
        stop.store(true, Ordering::Relaxed);
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
}

pub(crate) fn fault<T>(result: Result<T, Error<LinkError<io::Error>>>) -> Fault {
    match result {
        Err(Error::Transport(LinkError::Fault(fault))) => fault,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was carried out"),
    }
}
