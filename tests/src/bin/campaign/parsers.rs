//! Damaged input to everything that reads foreign bytes: packets, configuration zones, certificates, sockets and
//! files.
//!
//! Most inputs are valid ones with some changes, made so that they get past the first check: a checksum is made
//! right again, a DER element has the length of what is in it. How many were taken is part of the figures. An input
//! ends the program if it makes something panic, breaks a promise of the parser, or takes longer than
//! [`watch::LIMIT`].

mod certificates;
mod driver;
mod files;
mod mutate;
mod packets;
mod sockets;
mod watch;
mod zones;

use std::time::{Duration, Instant};

use self::watch::Watch;
use super::{Random, Report};

/// Something that reads foreign bytes.
trait Parser {
    /// The next input.
    fn input(&mut self, random: &mut Random) -> Vec<u8>;

    /// Gives it to the parser: whether it was taken, or which promise was broken.
    fn give(&mut self, input: &[u8]) -> Result<bool, String>;
}

/// A parser by name, its share of all inputs in thousandths, and how it is made.
type Kind = (&'static str, u64, fn() -> Result<Box<dyn Parser>, String>);

/// All of them. The shares are after what one input costs.
const KINDS: [Kind; 12] = [
    ("command packets", 150, packets::commands),
    ("responses", 150, packets::responses),
    ("packets in the emulated chip", 150, packets::chip),
    ("answers in the driver", 100, driver::answers),
    ("configuration zones", 100, zones::configuration),
    ("stored certificates", 150, certificates::stored),
    ("certificates in DER", 40, certificates::der),
    ("rebuilt identities", 10, certificates::identities),
    ("requests at the socket", 50, sockets::requests),
    ("answers at the socket", 50, sockets::answers),
    ("EEPROM files", 20, files::eeprom),
    ("device specs", 30, files::device_specs),
];
const THOUSAND: u64 = 1_000;

/// What became of the inputs of one parser.
#[derive(Default)]
struct Figures {
    inputs: u64,
    taken: u64,
    longest: Duration,
    time: Duration,
}

/// `count` inputs in all, with a line of figures for each parser.
pub(crate) fn run_count(count: u64, seed: u64) -> Report {
    let watch = Watch::start();
    let mut all = 0;
    println!(
        "{:<30} {:>9} {:>9} {:>9} {:>11} {:>6}  seed",
        "parser", "inputs", "taken", "refused", "longest ms", "s"
    );
    for (index, (name, share, make)) in KINDS.iter().enumerate() {
        let mut parser = make()?;
        let seed = mixed(seed, index as u64);
        let wanted = (count * share).div_ceil(THOUSAND);
        let figures = feed(name, &mut *parser, &mut Random(seed | 1), wanted, &watch)?;
        println!(
            "{name:<30} {:>9} {:>9} {:>9} {:>11.1} {:>6.1}  {seed}",
            figures.inputs,
            figures.taken,
            figures.inputs - figures.taken,
            1_000.0 * figures.longest.as_secs_f64(),
            figures.time.as_secs_f64()
        );
        all += figures.inputs;
    }
    Ok(format!("{all} inputs, no panic, none took longer than {} s", watch::LIMIT.as_secs()))
}

/// As many as there is time for, in turns.
pub(crate) fn run(end: Instant, mut random: Random) -> Report {
    /// Inputs of all parsers between two looks at the clock.
    const TURN: u64 = 10_000;
    let watch = Watch::start();
    let mut parsers = KINDS.iter().map(|(_, _, make)| make()).collect::<Result<Vec<_>, _>>()?;
    let mut all = 0;
    while Instant::now() < end {
        for ((name, share, _), parser) in KINDS.iter().zip(&mut parsers) {
            let seed = random.next();
            let figures =
                feed(name, &mut **parser, &mut Random(seed | 1), (TURN * share).div_ceil(THOUSAND), &watch)?;
            all += figures.inputs;
        }
    }
    Ok(format!("{all} inputs, no panic"))
}

fn feed(
    name: &'static str,
    parser: &mut dyn Parser,
    random: &mut Random,
    count: u64,
    watch: &Watch,
) -> Result<Figures, String> {
    let mut figures = Figures::default();
    let start = Instant::now();
    for number in 0..count {
        let input = parser.input(random);
        let (is_taken, took) = watch.run(name, number, input, |input| parser.give(input))?;
        figures.inputs += 1;
        figures.taken += u64::from(is_taken);
        figures.longest = figures.longest.max(took);
    }
    figures.time = start.elapsed();
    Ok(figures)
}

/// A seed of its own for each parser (the finalizer of splitmix64).
fn mixed(seed: u64, index: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(index + 1));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
