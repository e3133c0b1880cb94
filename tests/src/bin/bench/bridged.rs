//! A signature over the bridge protocol beside the same on I2C, in virtual time: bytes take as long on the line as its
//! rate says, and the far end drives a chip whose times are the same on both sides.

use std::{cell::RefCell, collections::VecDeque, convert::Infallible, fmt::Write, rc::Rc, time::Duration};

use atecc::{
    Device, Slot, Transport,
    i2c::{I2cTransport, TRUST_AND_GO_ADDRESS},
    link::{About, Client, Open, Server, Stream},
};
use atecc_emulator::{Bus, Chip, Clock, Pace, provision};
use embedded_hal::delay::DelayNs;

use crate::{Result, cost::median, scenario::DIGEST};

/// The rate at which every line begins, and the one that is asked for, with what a signature may take longer there
/// than on I2C.
const LINES: [(u32, Duration); 2] =
    [(115_200, Duration::from_millis(15)), (921_600, Duration::from_millis(3))];
/// Start bit, eight of data, stop bit.
const BITS: u64 = 10;
/// New chips, each with times of its own, and signatures of each.
const CHIPS: u64 = 20;
const SIGNATURES: usize = 10;

/// What a signature over a line cost.
pub(crate) struct Bridged {
    baud: u32,
    goal: Duration,
    /// The most of any signature.
    round_trips: usize,
    /// Both ways together, the most of any signature.
    bytes: usize,
    wall: Vec<Duration>,
    /// Longer than the same signature of the same chip on I2C.
    added: Vec<Duration>,
}

/// Measures every line.
pub(crate) fn measure() -> Result<Vec<Bridged>> {
    LINES.into_iter().map(|(baud, goal)| measure_at(baud, goal)).collect()
}

fn measure_at(baud: u32, goal: Duration) -> Result<Bridged> {
    let mut bridged = Bridged { baud, goal, round_trips: 0, bytes: 0, wall: Vec::new(), added: Vec::new() };
    for seed in 0..CHIPS {
        let (chip, clock) = chip(seed)?;
        let on_i2c = sign(&mut Device::new(chip), &clock)?;
        let (chip, clock) = chip_behind_line(seed, baud)?;
        let line = Rc::clone(&chip.line);
        let mut client = Client::new(chip, 1);
        client.hello().map_err(|error| error.to_string())?;
        let mut device = Device::new(client);
        for direct in on_i2c {
            let before = line.borrow().counts();
            let wall = sign_once(&mut device, &clock)?;
            let after = line.borrow().counts();
            bridged.round_trips = bridged.round_trips.max(after.0 - before.0);
            bridged.bytes = bridged.bytes.max(after.1 - before.1);
            bridged.wall.push(wall);
            bridged.added.push(wall.saturating_sub(direct));
        }
    }
    Ok(bridged)
}

fn chip(seed: u64) -> Result<(I2cTransport<Bus, Clock>, Clock)> {
    let clock = Clock::new_virtual();
    let bus =
        Bus::new(Chip::new(provision::tng_tls()?, Pace::Seeded(seed)), clock.clone(), Bus::STANDARD_HERTZ);
    Ok((I2cTransport::new(bus, clock.clone(), TRUST_AND_GO_ADDRESS), clock))
}

fn chip_behind_line(seed: u64, baud: u32) -> Result<(Near, Clock)> {
    let (chip, clock) = chip(seed)?;
    let line = Rc::new(RefCell::new(Line { baud, clock: clock.clone(), ..Line::default() }));
    let about = About { name: "bench", is_emulated: true, ..About::default() };
    Ok((Near { line, server: Server::new(about), chip }, clock))
}

fn sign<T: Transport>(device: &mut Device<T>, clock: &Clock) -> Result<Vec<Duration>>
where
    T::Error: std::error::Error + 'static,
{
    (0..SIGNATURES).map(|_| sign_once(device, clock)).collect()
}

fn sign_once<T: Transport>(device: &mut Device<T>, clock: &Clock) -> Result<Duration>
where
    T::Error: std::error::Error + 'static,
{
    let start = clock.now();
    device.sign(Slot::PRIMARY_KEY, &DIGEST)?;
    Ok(clock.now() - start)
}

/// A line with a wire each way, on which bytes are as long as the rate says.
struct Line {
    baud: u32,
    clock: Clock,
    up: Wire,
    down: Wire,
    /// How often the near end wrote.
    requests: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self { baud: 0, clock: Clock::new_virtual(), up: Wire::default(), down: Wire::default(), requests: 0 }
    }
}

impl Line {
    /// Requests, and bytes both ways.
    const fn counts(&self) -> (usize, usize) {
        (self.requests, self.up.carried + self.down.carried)
    }
}

/// Bytes on their way, with the moment at which each is there.
#[derive(Default)]
struct Wire {
    bytes: VecDeque<(Duration, u8)>,
    free: Duration,
    carried: usize,
}

impl Wire {
    fn put(&mut self, bytes: &[u8], baud: u32, now: Duration) {
        self.carried += bytes.len();
        self.free = self.free.max(now);
        for byte in bytes {
            self.free += Duration::from_nanos(BITS * 1_000_000_000 / u64::from(baud));
            self.bytes.push_back((self.free, *byte));
        }
    }

    /// Gives what is there; waits for the first byte, and not longer than `limit`.
    fn take(&mut self, buffer: &mut [u8], clock: &mut Clock, limit: Duration) -> usize {
        let now = clock.now();
        let first = self.bytes.front().map_or(limit, |(at, _)| at.saturating_sub(now));
        wait(clock, first.min(limit));
        let now = clock.now();
        let mut count = 0;
        while count < buffer.len() {
            match self.bytes.front() {
                Some((at, byte)) if *at <= now => buffer[count] = *byte,
                _ => break,
            }
            self.bytes.pop_front();
            count += 1;
        }
        count
    }
}

fn wait(clock: &mut Clock, time: Duration) {
    clock.delay_ns(u32::try_from(time.as_nanos()).unwrap_or(u32::MAX));
}

/// The near end of the line. When it waits and nothing is on its way, the far end works.
struct Near {
    line: Rc<RefCell<Line>>,
    server: Server<'static>,
    chip: I2cTransport<Bus, Clock>,
}

impl Stream for Near {
    type Error = Infallible;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> std::result::Result<usize, Infallible> {
        let end = self.now() + limit;
        while self.line.borrow().down.bytes.is_empty() && self.now() < end {
            self.server.poll(&mut Far(Rc::clone(&self.line)), &mut self.chip, &mut Open)?;
        }
        let left = end.saturating_sub(self.now());
        let mut line = self.line.borrow_mut();
        let mut clock = line.clock.clone();
        Ok(line.down.take(buffer, &mut clock, left))
    }

    fn write(&mut self, bytes: &[u8]) -> std::result::Result<(), Infallible> {
        let mut line = self.line.borrow_mut();
        let (baud, now) = (line.baud, line.clock.now());
        line.requests += 1;
        line.up.put(bytes, baud, now);
        Ok(())
    }

    fn now(&mut self) -> Duration {
        self.line.borrow().clock.now()
    }
}

/// The far end of the line.
struct Far(Rc<RefCell<Line>>);

impl Stream for Far {
    type Error = Infallible;

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> std::result::Result<usize, Infallible> {
        let mut line = self.0.borrow_mut();
        let mut clock = line.clock.clone();
        Ok(line.up.take(buffer, &mut clock, limit))
    }

    fn write(&mut self, bytes: &[u8]) -> std::result::Result<(), Infallible> {
        let mut line = self.0.borrow_mut();
        let (baud, now) = (line.baud, line.clock.now());
        line.down.put(bytes, baud, now);
        Ok(())
    }

    fn now(&mut self) -> Duration {
        self.0.borrow().clock.now()
    }
}

impl Bridged {
    fn wall(&self) -> f64 {
        milliseconds(median(self.wall.iter().copied()))
    }

    fn added(&self) -> [f64; 2] {
        let worst = self.added.iter().max().copied().unwrap_or_default();
        [median(self.added.iter().copied()), worst].map(milliseconds)
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// A table of its own: a line has other columns than a bus.
pub(crate) fn markdown(all: &[Bridged]) -> String {
    let mut text = String::from(
        "| signature over the bridge | measured | round trips | bytes on the line | wall ms | more than on I2C, ms \
         | worst | goal |\n|---|---|---|---|---|---|---|---|\n",
    );
    for bridged in all {
        let [added, worst] = bridged.added();
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| {} baud | {} | {} | {} | {:.2} | {added:.2} | {worst:.2} | {:.0} |",
            bridged.baud,
            bridged.wall.len(),
            bridged.round_trips,
            bridged.bytes,
            bridged.wall(),
            milliseconds(bridged.goal),
        );
    }
    text
}

/// The same, an object for each row.
pub(crate) fn json(all: &[Bridged]) -> Vec<String> {
    all.iter()
        .map(|bridged| {
            let [added, worst] = bridged.added();
            format!(
                "{{\"scenario\": \"signature over the bridge\", \"baud\": {}, \"samples\": {}, \"round_trips\": {}, \
                 \"line_bytes\": {}, \"wall_ms\": {:.4}, \"added_ms\": {added:.4}, \"added_worst_ms\": {worst:.4}, \
                 \"goal_ms\": {:.4}}}",
                bridged.baud,
                bridged.wall.len(),
                bridged.round_trips,
                bridged.bytes,
                bridged.wall(),
                milliseconds(bridged.goal),
            )
        })
        .collect()
}
