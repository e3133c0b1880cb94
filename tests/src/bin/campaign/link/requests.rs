//! Requests over the damaged line: each is answered rightly, or fails in words and in time.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use atecc::{
    Device, PublicKey, SerialNumber, Slot,
    i2c::I2cTransport,
    irreversible::{IncrementsCounter, Irreversible},
    link::{About, CALL_LIMIT, Client, Error, Fault, HELLO_LIMIT, Open, Server, Stream},
    zone::CounterId,
};
use atecc_emulator::{Bus, Chip, Clock, Pace, provision};
use serial2::SerialPort;

use super::{
    middle::{BOOT, Weather, carry},
    pulse::Pulse,
    terminal::{FRAMES, HASTE, Terminal},
};
use crate::{Random, Report};

/// How long a request may take, with the Hello of a client that is new (docs/link.md).
const LONGEST: Duration = HELLO_LIMIT.saturating_add(CALL_LIMIT);
/// How often a request may be kept back by others on the machine.
const ATTEMPTS: u32 = 10;
/// How long the machine may not run us at all.
pub(super) const STALL: Duration = Duration::from_secs(3);

type LinkError = atecc::Error<Error<io::Error>>;

/// What a chip answers to the same question every time.
struct Facts {
    serial: SerialNumber,
    key: PublicKey,
}

#[derive(Default)]
struct Tally {
    requests: u64,
    failures: u64,
    signatures: u64,
    increments: u64,
    restarts: u64,
    recoveries: u64,
    /// Requests that the machine did not let be answered.
    stalls: u64,
    repeats: u64,
    longest: Duration,
}

/// A chip at 100 kHz whose own time costs nothing.
pub(super) fn chip() -> Result<I2cTransport<Bus, Clock>, String> {
    let eeprom = provision::tng_tls().map_err(|error| error.to_string())?;
    let clock = Clock::new_virtual();
    let bus = Bus::new(Chip::new(eeprom, Pace::Instant), clock.clone(), Bus::STANDARD_HERTZ);
    Ok(I2cTransport::new(bus, clock, atecc::i2c::TRUST_AND_GO_ADDRESS))
}

pub(super) fn run(frames: u64, random: Random) -> Report {
    let mut transport = chip()?;
    let mut direct = Device::new(&mut transport);
    let facts = Facts {
        serial: direct.serial_number().map_err(|error| error.to_string())?,
        key: direct.public_key(Slot::PRIMARY_KEY).map_err(|error| error.to_string())?,
    };
    let text = |error: io::Error| error.to_string();
    let (near, near_line) = SerialPort::pair().map_err(text)?;
    let (far, far_line) = SerialPort::pair().map_err(text)?;
    let near = Terminal::new(near).map_err(text)?;
    let far = Terminal::new(far).map_err(text)?;
    for line in [&near_line, &far_line] {
        line.discard_buffers().map_err(text)?;
    }
    let (weather, restart, pulse) = (Weather::default(), AtomicBool::new(false), Pulse::default());
    thread::scope(|scope| {
        let carriers = [(&near_line, &far_line), (&far_line, &near_line)].map(|(from, to)| {
            let random = Random(random.clone().next());
            let weather = &weather;
            let from = from.try_clone();
            scope.spawn(move || carry(from?, to, weather, random))
        });
        let serving = scope.spawn(|| serve(far, transport, &weather, &restart));
        scope.spawn(|| pulse.beat(&weather.is_over));
        let result = ask(near, frames, random, &facts, &weather, &restart, &pulse);
        weather.is_over.store(true, Ordering::Relaxed);
        let tally = result?;
        for carrier in carriers {
            carrier.join().map_err(|_| "the line panicked")?.map_err(|error| error.to_string())?;
        }
        serving.join().map_err(|_| "the far end panicked")?.map_err(|error| error.to_string())?;
        Ok(format!(
            "{} frames; {} chunks of the line damaged; {} requests, {} repeats, {} clear errors; \
             {} signatures and {} counter steps, none wrong; {} restarts of either end, {} times at once in order \
             again, {} of them after the machine had not run us; longest wait {:.1} s of {:.0}",
            FRAMES.load(Ordering::Relaxed),
            weather.damages.load(Ordering::Relaxed),
            tally.requests,
            tally.repeats,
            tally.failures,
            tally.signatures,
            tally.increments,
            tally.restarts,
            tally.recoveries,
            tally.stalls,
            tally.longest.as_secs_f64(),
            LONGEST.as_secs_f64(),
        ))
    })
}

/// The far end, which loses its memory when it is told to.
fn serve(
    mut far: Terminal,
    mut chip: I2cTransport<Bus, Clock>,
    weather: &Weather,
    restart: &AtomicBool,
) -> io::Result<()> {
    let about = About { name: "campaign", is_emulated: true, ..About::default() };
    let mut server = Server::new(about);
    while !weather.is_over.load(Ordering::Relaxed) {
        if restart.swap(false, Ordering::Relaxed) {
            server = Server::new(about);
            far.port.write_all(BOOT)?;
        }
        server.poll(&mut far, &mut chip, &mut Open)?;
    }
    Ok(())
}

/// The near end: bad weather and fair in turn, until there were enough frames.
fn ask(
    near: Terminal,
    frames: u64,
    mut random: Random,
    facts: &Facts,
    weather: &Weather,
    restart: &AtomicBool,
    pulse: &Pulse,
) -> Result<Tally, String> {
    let mut tally = Tally::default();
    let mut client = Client::new(near, random.next() as u32);
    let mut counter = None;
    while FRAMES.load(Ordering::Relaxed) < frames {
        weather.per_mille.store([5, 20, 20, 60, 200][random.below(5)], Ordering::Relaxed);
        for _ in 0..200 {
            match random.below(400) {
                0 => {
                    // The host is killed in the middle of a frame, and another program starts.
                    tally.restarts += 1;
                    tally.repeats += client.counters().repeats;
                    let mut stream = client.release();
                    let half = [&[0, 9, 2][..], &random.bytes(60)].concat();
                    stream.write(&half).map_err(|error| error.to_string())?;
                    client = Client::new(stream, random.next() as u32);
                }
                1 => {
                    tally.restarts += 1;
                    restart.store(true, Ordering::Relaxed);
                }
                _ => {}
            }
            let start = Instant::now();
            let result = request(&mut client, &mut random, facts, &mut counter, &mut tally);
            let waited = start.elapsed() * HASTE;
            tally.requests += 1;
            tally.longest = tally.longest.max(waited);
            // A busy machine takes time that is the world's, not the protocol's.
            if waited > LONGEST + STALL * HASTE {
                return Err(format!("a request took {waited:?}"));
            }
            if let Err(error) = result {
                tally.failures += 1;
                judge(error)?;
            }
        }
        // The damage ends: the very next request is answered.
        weather.per_mille.store(0, Ordering::Relaxed);
        for _ in 0..3 {
            tally.recoveries += 1;
            for attempt in 1.. {
                pulse.missed();
                let error = match request(&mut client, &mut random, facts, &mut counter, &mut tally) {
                    Ok(()) => break,
                    // A restart may still be on its way, and a lease lasts 15 ms here, for which a busy machine may
                    // not run us at all.
                    Err(Failure::Link(atecc::Error::Transport(Error::Fault(
                        Fault::Forgotten | Fault::LeaseExpired,
                    )))) => break,
                    Err(error) => error,
                };
                let is_late = matches!(
                    error,
                    Failure::Link(atecc::Error::Transport(Error::NoBridge | Error::NoAnswer { .. }))
                );
                if !is_late || !pulse.missed() || attempt == ATTEMPTS {
                    return Err(format!("on a line that is whole again: {error}"));
                }
                tally.stalls += 1;
            }
        }
    }
    tally.repeats += client.counters().repeats;
    Ok(tally)
}

enum Failure {
    Link(LinkError),
    /// What must not happen.
    Wrong(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Link(error) => error.fmt(f),
            Self::Wrong(what) => f.write_str(what),
        }
    }
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

/// Whether a failure is one that a damaged line may cause.
fn judge(failure: Failure) -> Result<(), String> {
    match failure {
        Failure::Link(atecc::Error::Transport(
            Error::NoBridge
            | Error::NoAnswer { .. }
            | Error::Fault(Fault::Forgotten | Fault::LeaseExpired | Fault::Cancelled),
        )) => Ok(()),
        other => Err(format!("a damaged line led to: {other}")),
    }
}

/// One request of any kind, with its answer judged.
fn request(
    client: &mut Client<Terminal>,
    random: &mut Random,
    facts: &Facts,
    counter: &mut Option<u32>,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let wrong = |what: &str| Err(Failure::Wrong(what.into()));
    let mut device = Device::new(&mut *client);
    match random.below(20) {
        0 | 1 => {
            let mut digest = [0; 32];
            digest.iter_mut().for_each(|byte| *byte = random.next() as u8);
            let signature = device.sign(Slot::PRIMARY_KEY, &digest)?;
            tally.signatures += 1;
            if !facts.key.verify(&digest, &signature) {
                return wrong("a wrong signature");
            }
        }
        2 => {
            let before = match counter.take() {
                Some(before) => before,
                None => device.counter(CounterId::Counter1)?,
            };
            let after = device
                .increment_counter(CounterId::Counter1, Irreversible::i_understand(IncrementsCounter))?;
            tally.increments += 1;
            if after != before + 1 {
                return Err(Failure::Wrong(format!("the counter went from {before} to {after}")));
            }
            *counter = Some(after);
        }
        3 => {
            let mut packets = 2;
            let mut lengths = Vec::new();
            atecc::Transport::converse(client, &[], &mut (), &mut |answer| {
                lengths.extend(answer.map(|answer| answer.data().len()));
                packets -= 1;
                (packets >= 0).then(|| atecc::command::Command::packet(&atecc::command::Random))
            })
            .map_err(|error| Failure::Link(atecc::Error::Transport(error)))?;
            if lengths != [32, 32] {
                return Err(Failure::Wrong(format!("a lease gave {lengths:?}")));
            }
        }
        4 => {
            if device.random()? == device.random()? {
                return wrong("the same random bytes twice");
            }
        }
        _ => {
            if device.serial_number()? != facts.serial {
                return wrong("another serial number");
            }
        }
    }
    Ok(())
}
