//! The whole firmware with a host on one side and an emulated chip on the other: only pins and glass are missing.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::{
    collections::VecDeque,
    io,
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use atecc::{
    Device, Error, Slot, Status, Transport,
    i2c::I2cTransport,
    link::{About, Client, Error as LinkError, Fault, Stream},
    packet::{Packet, Response},
    transport::Responses,
};
use atecc_emulator::{Bus, Chip, Clock, Pace, provision::Personality};
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
use esp_bridge::{
    firmware::Firmware,
    gate::Face,
    policy::Refusal,
    session::Session,
    state::State,
    touch::{Meaning, Press, TouchPolicy},
};

const DIGEST: [u8; 32] = [0x5a; 32];

/// What the firmware and the test both see.
#[derive(Default)]
struct World {
    /// What somebody will do as soon as a question is there.
    fingers: VecDeque<Meaning>,
    /// Whether somebody unlocks the device.
    unlocks: bool,
    shown: Vec<State>,
}

type Shared = Arc<Mutex<World>>;

/// A face that presses by itself.
struct Robot {
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

struct Line(UnixStream, Instant);

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
struct Wires {
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

struct Bench {
    world: Shared,
    pulled: Arc<AtomicBool>,
    shorted: Arc<AtomicBool>,
    port: UnixStream,
    /// The far end of another port, which the device shall have instead of this one.
    plugged: Mutex<Option<UnixStream>>,
}

impl Bench {
    fn host(&self) -> Device<Client<Line>> {
        Self::host_on(&self.port)
    }

    fn host_on(port: &UnixStream) -> Device<Client<Line>> {
        // Each host begins somewhere else, as the protocol wants it.
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let sequence = NEXT.fetch_add(10_000, Ordering::Relaxed);
        Device::new(Client::new(Line(port.try_clone().unwrap(), Instant::now()), sequence))
    }

    fn will(&self, meaning: Meaning) {
        self.world.lock().unwrap().fingers.push_back(meaning);
    }

    /// Waits until the device has shown a state that `is_it`, and forgets what it showed.
    fn wait_for(&self, is_it: impl Fn(&State) -> bool) {
        let start = Instant::now();
        while !self.world.lock().unwrap().shown.iter().any(&is_it) {
            assert!(start.elapsed() < Duration::from_secs(20), "{:?}", self.world.lock().unwrap().shown);
            thread::sleep(Duration::from_millis(10));
        }
        self.world.lock().unwrap().shown.clear();
    }
}

fn firmware(
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
fn with_firmware(touch: TouchPolicy, test: impl FnOnce(&Bench)) {
    with_chip(Personality::TngTls3, touch, test);
}

fn with_chip(personality: Personality, touch: TouchPolicy, test: impl FnOnce(&Bench)) {
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

fn fault<T>(result: Result<T, Error<LinkError<io::Error>>>) -> Fault {
    match result {
        Err(Error::Transport(LinkError::Fault(fault))) => fault,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was carried out"),
    }
}

#[test]
fn a_signature_is_made_when_somebody_agrees() {
    with_firmware(TouchPolicy::Always, |bench| {
        let mut host = bench.host();
        let key = host.public_key(Slot::PRIMARY_KEY).unwrap();
        bench.will(Meaning::Allow);
        let signature = host.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
        assert!(key.verify(&DIGEST, &signature));
        bench.wait_for(|state| matches!(state, State::Asking(request) if request.digest.is_some()));
    });
}

#[test]
fn a_signature_is_not_made_when_somebody_refuses() {
    with_firmware(TouchPolicy::Always, |bench| {
        bench.will(Meaning::Refuse);
        assert_eq!(fault(bench.host().sign(Slot::PRIMARY_KEY, &DIGEST)), Fault::Denied);
        bench.wait_for(|state| matches!(state, State::Refused(_)));
    });
}

#[test]
fn a_signature_is_not_made_when_nobody_is_there() {
    with_firmware(TouchPolicy::Always, |bench| {
        let start = Instant::now();
        assert_eq!(fault(bench.host().sign(Slot::PRIMARY_KEY, &DIGEST)), Fault::NotTouched);
        assert!((29..35).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
        bench.wait_for(|state| matches!(state, State::Refused(_)));
        // And the device goes on.
        bench.will(Meaning::Allow);
        bench.host().sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    });
}

#[test]
fn nobody_is_asked_where_the_policy_says_never() {
    with_firmware(TouchPolicy::Never, |bench| {
        let mut host = bench.host();
        let key = host.public_key(Slot::PRIMARY_KEY).unwrap();
        for _ in 0..5 {
            assert!(key.verify(&DIGEST, &host.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap()));
        }
    });
}

#[test]
fn what_changes_the_chip_needs_the_unlocked_device() {
    with_firmware(TouchPolicy::Never, |bench| {
        let new_key = || {
            let packet = Packet::new(0x40, 0x04, 2, &[], 64);
            let mut answers = Responses::new();
            let mut host = bench.host().into_transport();
            host.transact(&[packet], &mut answers).map(|()| answers.last().map(Response::data).unwrap().len())
        };
        let refused = new_key();
        assert!(matches!(refused, Err(LinkError::Fault(Fault::Refused { opcode: 0x40 }))), "{refused:?}");
        bench.world.lock().unwrap().unlocks = true;
        thread::sleep(Duration::from_millis(200));
        bench.will(Meaning::Allow);
        assert_eq!(new_key().unwrap(), 64);
        bench.wait_for(|state| matches!(state, State::Asking(request) if request.changes));
    });
}

#[test]
fn what_the_list_or_the_slot_does_not_allow_is_refused_by_its_opcode() {
    with_firmware(TouchPolicy::Never, |bench| {
        // No such command, a mode that nobody knows, and a slot that does not sign digests.
        for (opcode, mode, slot) in [(0x99, 0x00, 0), (0x41, 0x13, 0), (0x41, 0xa0, 1)] {
            let packet = Packet::new(opcode, mode, slot, &[], 64);
            let result = bench.host().into_transport().transact(&[packet], &mut Responses::new());
            assert!(
                matches!(result, Err(LinkError::Fault(Fault::Refused { opcode: of })) if of == opcode),
                "{result:?}"
            );
            bench.wait_for(|state| matches!(state, State::Refused(_)));
        }
    });
}

/// Else a chip that was set up here would be judged by the rules of a blank one until somebody restarts the device.
#[test]
fn rules_that_were_written_to_the_chip_are_the_rules() {
    with_chip(Personality::Blank, TouchPolicy::Never, |bench| {
        let policy_says_no = || match bench.host().sign(Slot::PRIMARY_KEY, &DIGEST) {
            Err(Error::Transport(LinkError::Fault(fault))) => fault == Fault::Refused { opcode: 0x41 },
            // The chip's own no: it is not locked, and has no key yet.
            Err(Error::Response { .. }) => false,
            other => panic!("{other:?}"),
        };
        assert!(!policy_says_no());
        bench.world.lock().unwrap().unlocks = true;
        thread::sleep(Duration::from_millis(200));
        bench.will(Meaning::Allow);
        // KeyConfig of slots 0 and 1, which are no longer for private keys.
        let packet = Packet::new(0x12, 0x00, 96 / 4, &[&[0x1c, 0x00, 0x1c, 0x00]], 1);
        let mut answers = Responses::new();
        bench.host().into_transport().transact(&[packet], &mut answers).unwrap();
        let status = answers.last().and_then(Response::status);
        assert!(status.is_none_or(|status| status == Status::Success), "{status:?}");
        assert!(policy_says_no());
    });
}

#[test]
fn a_question_of_a_host_that_is_gone_is_taken_off_the_screen() {
    with_firmware(TouchPolicy::Always, |bench| {
        thread::scope(|scope| {
            let asking = scope.spawn(|| bench.host().sign(Slot::PRIMARY_KEY, &DIGEST));
            bench.wait_for(|state| matches!(state, State::Asking(_)));
            bench.port.shutdown(Shutdown::Both).unwrap();
            assert!(asking.join().unwrap().is_err());
        });
        bench.wait_for(|state| *state == State::Refused(Refusal::Cancelled));
        // Who comes next is not told that another question is open.
        let (port, far) = UnixStream::pair().unwrap();
        *bench.plugged.lock().unwrap() = Some(far);
        bench.will(Meaning::Allow);
        Bench::host_on(&port).sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    });
}

/// The chip is awake in a lease, and would not wait for a finger: it is asked for before.
#[test]
fn a_lease_that_says_what_it_is_for_gets_its_touch() {
    with_firmware(TouchPolicy::Always, |bench| {
        let key = bench.host().public_key(Slot::PRIMARY_KEY).unwrap();
        let read = Packet::new(0x02, 0x80, 0, &[], 32);
        let ecdh = Packet::new(0x43, 0x0c, 0, &[key.as_bytes()], 32);
        let mut host = bench.host().into_transport();
        let mut lease = |plan: &[Packet]| {
            let mut packets = [read.clone(), ecdh.clone()].into_iter();
            let mut lengths = Vec::new();
            let result = host.converse(plan, &mut (), &mut |answer| {
                lengths.extend(answer.map(|answer| answer.data().len()));
                packets.next()
            });
            result.map(|()| lengths)
        };
        assert!(matches!(lease(&[]), Err(LinkError::Fault(Fault::NotTouched))));
        bench.will(Meaning::Allow);
        assert_eq!(lease(std::slice::from_ref(&ecdh)).unwrap(), [32, 32]);
        bench.wait_for(|state| matches!(state, State::Asking(request) if request.slot == Some(0)));
        bench.will(Meaning::Refuse);
        assert!(matches!(lease(std::slice::from_ref(&ecdh)), Err(LinkError::Fault(Fault::Denied))));
    });
}

/// The rule stands behind the protocol: Microchip's text is judged by it as well.
#[test]
fn the_text_protocol_is_judged_by_the_same_rules() {
    use std::io::{BufRead, BufReader, Write};

    with_firmware(TouchPolicy::Always, |bench| {
        let mut port = bench.port.try_clone().unwrap();
        port.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        let mut answers = BufReader::new(port.try_clone().unwrap()).lines();
        let mut say = |line: &str| {
            writeln!(port, "{line}").unwrap();
            answers.next().unwrap().unwrap()
        };
        let talk = |packet: &Packet| {
            let hex: String = packet.as_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
            format!("E:t({hex})")
        };
        assert!(say("E:physical:select(6A)").starts_with("00("));
        assert!(say("E:w()").starts_with("00("));
        // Lock of slot 8, and a new key: refused without a question.
        for packet in [Packet::new(0x17, 0xa2, 0, &[], 1), Packet::new(0x40, 0x04, 2, &[], 64)] {
            let answer = say(&talk(&packet));
            assert_eq!(answer, "00(040F2342)", "the chip's word for a refusal, an execution error");
        }
        // A signature: asked for.
        say("E:w()");
        bench.world.lock().unwrap().shown.clear();
        say(&talk(&Packet::new(0x16, 0x43, 0, &[&DIGEST], 1)));
        bench.will(Meaning::Allow);
        let answer = say(&talk(&Packet::new(0x41, 0xa0, 0, &[], 64)));
        assert!(answer.starts_with("00(43"), "{answer}");
        bench.wait_for(|state| matches!(state, State::Asking(request) if request.digest.is_some()));
    });
}

#[test]
fn a_chip_that_goes_and_comes_is_noticed() {
    with_firmware(TouchPolicy::Never, |bench| {
        let mut host = bench.host();
        bench.pulled.store(true, Ordering::Relaxed);
        assert_eq!(fault(host.sign(Slot::PRIMARY_KEY, &DIGEST)), Fault::NoChip);
        bench.wait_for(|state| *state == State::ChipMissing);
        // While it is away, the answer is the same and quick.
        let start = Instant::now();
        assert_eq!(fault(host.serial_number()), Fault::NoChip);
        assert!(start.elapsed() < Duration::from_secs(1));
        bench.pulled.store(false, Ordering::Relaxed);
        bench.wait_for(|state| *state == State::Ready);
        host.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    });
}

#[test]
fn a_bus_that_is_held_low_is_told_from_a_missing_chip() {
    with_firmware(TouchPolicy::Never, |bench| {
        bench.shorted.store(true, Ordering::Relaxed);
        let _ = bench.host().sign(Slot::PRIMARY_KEY, &DIGEST);
        bench.wait_for(|state| *state == State::BusFault);
        // A host that asks meanwhile is told no, and does not make it another fault.
        for _ in 0..5 {
            assert_eq!(fault(bench.host().serial_number()), Fault::NoChip);
        }
        assert!(!bench.world.lock().unwrap().shown.contains(&State::ChipMissing));
        bench.shorted.store(false, Ordering::Relaxed);
        bench.wait_for(|state| *state == State::Ready);
    });
}

/// The board frees the bus when the firmware gives it back, and the session goes on.
#[test]
fn a_firmware_gives_a_bus_back_that_does_not_work() {
    let (_port, far) = UnixStream::pair().unwrap();
    let shorted = Arc::new(AtomicBool::new(true));
    let session = Session::new(TouchPolicy::Always);
    let firmware = firmware(Personality::TngTls3, Arc::default(), shorted, session, Shared::default());
    let start = Instant::now();
    let (session, _) = firmware.run(&mut Line(far, start));
    assert_eq!(session.state(), State::BusFault);
    assert!((1..5).contains(&start.elapsed().as_secs()));
}

#[test]
fn a_device_without_a_chip_says_so_and_goes_on_looking() {
    let (_port, far) = UnixStream::pair().unwrap();
    let pulled = Arc::new(AtomicBool::new(true));
    let session = Session::new(TouchPolicy::Always);
    let mut firmware =
        firmware(Personality::TngTls3, pulled.clone(), Arc::default(), session, Shared::default());
    let start = Instant::now();
    let mut line = Line(far, start);
    firmware.poll(&mut line);
    assert_eq!(firmware.session().state(), State::ChipMissing);
    pulled.store(false, Ordering::Relaxed);
    while firmware.session().state() != State::Ready {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", firmware.session().state());
        firmware.poll(&mut line);
    }
    assert!(firmware.session().identity().is_some());
}

/// A digest that a lease has loaded is gone when text comes, and the lease too.
#[test]
fn text_in_the_middle_of_a_lease_signs_nothing_of_it() {
    use std::io::Write;

    with_firmware(TouchPolicy::Never, |bench| {
        let mut host = bench.host();
        host.serial_number().unwrap();
        let mut host = host.into_transport();
        let load = Packet::new(0x16, 0x43, 0, &[&DIGEST], 1);
        let sign = Packet::new(0x41, 0xa0, 0, &[], 64);
        let hex: String = sign.as_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
        let mut intruder = bench.port.try_clone().unwrap();
        bench.world.lock().unwrap().shown.clear();
        let mut sent = 0;
        let result = host.converse(&[], &mut (), &mut |answer| {
            sent += 1;
            assert!(sent < 3, "{answer:?}: the chip signed in a lease that was over");
            if sent == 2 {
                writeln!(intruder, "E:t({hex})").unwrap();
                return Some(sign.clone());
            }
            Some(load.clone())
        });
        assert!(matches!(result, Err(LinkError::Fault(Fault::LeaseExpired))), "{result:?}");
        // What came as text was tried, with a chip that knew of no digest.
        let mut host = Device::new(host);
        host.serial_number().unwrap();
        let shown = bench.world.lock().unwrap().shown.clone();
        let signs = |state: &State| matches!(state, State::Signing(request) if request.digest.is_some());
        assert!(!shown.iter().any(signs), "{shown:?}");
    });
}
