//! Microchip's text protocol over the damaged line. It has no sequence numbers and no check of its own beside the CRC-16
//! in the chip's packets, so less is promised: docs/link.md, "Text", says what, and this tests exactly that.
//!
//! At the far end: it is never busy for long, its answers are never longer than stated, nothing reaches the chip that
//! its gate does not allow, and nothing is signed that the host did not load. At a careful host: what arrives whole was
//! said by the far end, if not to this question, and the check of a signature tells that. On a line that is whole again
//! the next line is answered.

mod far;
mod host;

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use atecc::{Device, Slot};
use serial2::SerialPort;

use super::{
    middle::{Weather, carry},
    requests::{STALL, chip},
    terminal::{FRAMES, HASTE, Terminal},
};
use crate::{Random, Report};
use far::{Far, LONGEST_POLL, Ledger};
use host::{Facts, Host, Tally, Trouble};

/// How often a request may be tried on a line that is whole: a machine that does not run us for a while makes the far
/// end forget a digest.
const TRIES: u32 = 10;

pub(super) fn run(lines: u64, random: Random) -> Report {
    let mut transport = chip()?;
    let mut direct = Device::new(&mut transport);
    let mut block = [0; 32];
    direct
        .read(&[atecc::command::Zone::Configuration], &mut [&mut block])
        .map_err(|error| error.to_string())?;
    let key = direct.public_key(Slot::PRIMARY_KEY).map_err(|error| error.to_string())?;
    let text = |error: io::Error| error.to_string();
    let (near, near_line) = SerialPort::pair().map_err(text)?;
    let (far, far_line) = SerialPort::pair().map_err(text)?;
    let near = Terminal::new(near).map_err(text)?;
    let far = Terminal::new(far).map_err(text)?;
    for line in [&near_line, &far_line] {
        line.discard_buffers().map_err(text)?;
    }
    let (weather, restart, ledger) = (Weather::default(), AtomicBool::new(false), Ledger::default());
    thread::scope(|scope| {
        let carriers = [(&near_line, &far_line), (&far_line, &near_line)].map(|(from, to)| {
            let random = Random(random.clone().next());
            let weather = &weather;
            let from = from.try_clone();
            scope.spawn(move || carry(from?, to, weather, random))
        });
        let serving = scope.spawn(|| Far::new(far, transport, &ledger).serve(&weather, &restart));
        let mut host = Host::new(near, Facts { block, key }, &ledger);
        let result = ask(&mut host, lines, random, &weather, &restart);
        weather.is_over.store(true, Ordering::Relaxed);
        // What the far end found is why the host found what it did.
        let longest = serving.join().map_err(|_| "the far end panicked")??;
        let tally = result?;
        for carrier in carriers {
            carrier.join().map_err(|_| "the line panicked")?.map_err(|error| error.to_string())?;
        }
        Ok(format!(
            "text: {} lines; {} chunks of the line damaged; {} requests, {} of them failed; {} signatures, none wrong; \
             {} answers to another question, {} of them told by the check of a signature alone; {} commands refused by \
             the gate, {} changed on their way and allowed; {} restarts of either end, {} times in order again, {} of \
             them at the first try; the far end was busy for {:.2} s of \
             the machine's time at most",
            FRAMES.load(Ordering::Relaxed),
            weather.damages.load(Ordering::Relaxed),
            tally.requests,
            tally.failures,
            tally.signatures,
            tally.strangers,
            tally.wrong_signatures,
            ledger.refused.load(Ordering::Relaxed),
            ledger.changed.load(Ordering::Relaxed),
            tally.restarts,
            tally.recoveries,
            tally.at_once,
            (longest / HASTE).as_secs_f64(),
        ))
    })
}

/// The host: bad weather and fair in turn, until there were enough lines.
fn ask(
    host: &mut Host<'_>,
    lines: u64,
    mut random: Random,
    weather: &Weather,
    restart: &AtomicBool,
) -> Result<Tally, String> {
    let is_over = || weather.is_over.load(Ordering::Relaxed);
    // It is over early when the far end has found something; then it says what.
    while FRAMES.load(Ordering::Relaxed) < lines && !is_over() {
        weather.per_mille.store([5, 20, 20, 60, 200][random.below(5)], Ordering::Relaxed);
        for _ in 0..100 {
            if is_over() {
                break;
            }
            match random.below(200) {
                0 => host.die(&mut random)?,
                1 => {
                    host.tally.restarts += 1;
                    restart.store(true, Ordering::Relaxed);
                }
                _ => {}
            }
            host.tally.requests += 1;
            match host.request(&mut random) {
                Ok(()) => {}
                Err(Trouble::Wrong(what)) => return Err(what),
                Err(_) => {
                    host.tally.failures += 1;
                    host.settle()?;
                }
            }
        }
        // The damage ends. What the line held back comes with the next bytes, which are nobody's.
        weather.per_mille.store(0, Ordering::Relaxed);
        while restart.load(Ordering::Relaxed) && !is_over() {
            thread::sleep(Duration::from_millis(1));
        }
        host.calm()?;
        let mut tries = 0;
        while let Err(trouble) = host.request(&mut random) {
            tries += 1;
            if is_over() {
                break;
            }
            if tries == TRIES || matches!(trouble, Trouble::Wrong(_)) {
                return Err(format!("on a line that is whole again: {trouble}"));
            }
            host.calm()?;
        }
        host.tally.recoveries += 1;
        host.tally.at_once += u64::from(tries == 0);
    }
    Ok(host.tally)
}

/// How long the far end may be busy with one look at its line, in the protocol's time.
const fn longest_poll() -> Duration {
    // A busy machine takes time that is the world's.
    LONGEST_POLL.saturating_add(STALL.saturating_mul(HASTE))
}
