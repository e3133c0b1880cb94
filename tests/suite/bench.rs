//! What things cost: counts, and virtual time. The program `bench` measures the same in real time, and
//! docs/performance.md tells about it.

use std::{process::Command, time::Duration};

use atecc::{
    Device, Slot,
    i2c::{I2cTransport, TRUST_AND_GO_ADDRESS},
};
use atecc_emulator::{Bus, Chip as EmulatedChip, Clock, Figures, Meter, Pace, provision};
use atecc_token::Token;

use super::support::{Chip, run};

const DIGEST: [u8; 32] = [0x5a; 32];
const CHIPS: u64 = 20;
const SIGNATURES_OF_EACH: u64 = 50;
/// A transfer at 100 kHz that nobody acknowledges: eleven bits.
const FAILED_POLL: Duration = Duration::from_micros(110);

fn new_device(pace: Pace) -> (Device<I2cTransport<Bus, Clock>>, Meter) {
    let chip = EmulatedChip::new(provision::tng_tls().unwrap(), pace);
    let bus = Bus::new(chip, Clock::new_virtual(), Bus::STANDARD_HERTZ);
    let (clock, meter) = (bus.clock(), bus.meter());
    (Device::new(I2cTransport::new(bus, clock, TRUST_AND_GO_ADDRESS)), meter)
}

/// The work of the chip and the transfers that have to be; failed polls do not.
fn floor(figures: &Figures) -> Duration {
    figures.chip_time + figures.bus_time - FAILED_POLL * u32::try_from(figures.refused).unwrap()
}

#[test]
fn a_signature_without_random_is_a_command_less() {
    let (mut device, meter) = new_device(Pace::Typical);
    device.sign_with_stale_random_seed(Slot::PRIMARY_KEY, &DIGEST).unwrap();
    let figures = meter.figures();
    assert_eq!((figures.wakes, figures.commands), (1, 2));
}

/// With times that vary by a fifth from chip to chip and from call to call, and a driver that knows nothing of
/// each new chip: not the mean but every one, the first included. Chips and times are the same in every run.
#[test]
fn every_signature_takes_at_most_a_twentieth_more_than_chip_and_bus() {
    let mut ratios = Vec::new();
    for seed in 0..CHIPS {
        let (mut device, meter) = new_device(Pace::Seeded(seed));
        for _ in 0..SIGNATURES_OF_EACH {
            let before = meter.figures();
            device.sign(Slot::PRIMARY_KEY, &DIGEST).unwrap();
            let after = meter.figures();
            assert_eq!((after.wakes - before.wakes, after.commands - before.commands), (1, 3));
            // The wake pulse is one, though nobody acknowledges it.
            let transactions = after.transactions - before.transactions + 1;
            assert!(transactions <= 10, "{transactions} transactions");
            let wall = after.clock_time - before.clock_time;
            let ratio = wall.as_secs_f64() / (floor(&after) - floor(&before)).as_secs_f64();
            assert!(ratio <= 1.05, "chip {seed}: {ratio:.4} times chip and bus");
            ratios.push(ratio);
        }
    }
    assert!(ratios.len() >= 500);
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    assert!(mean <= 1.03, "{mean:.4} times chip and bus in the mean");
}

/// Some 16 ms of 92 (docs/performance.md).
#[test]
fn random_before_a_signature_costs_what_the_page_says() {
    let time = |sign: fn(&mut Device<I2cTransport<Bus, Clock>>)| {
        let total: Duration = (0..CHIPS)
            .map(|seed| {
                let (mut device, meter) = new_device(Pace::Seeded(seed));
                (0..SIGNATURES_OF_EACH).for_each(|_| sign(&mut device));
                meter.figures().clock_time
            })
            .sum();
        total / u32::try_from(CHIPS * SIGNATURES_OF_EACH).unwrap()
    };
    let with = time(|device| assert!(device.sign(Slot::PRIMARY_KEY, &DIGEST).is_ok()));
    let without =
        time(|device| assert!(device.sign_with_stale_random_seed(Slot::PRIMARY_KEY, &DIGEST).is_ok()));
    let costs = with - without;
    assert!((Duration::from_millis(13)..Duration::from_millis(20)).contains(&costs), "{costs:?}");
}

#[test]
fn what_was_read_once_is_not_read_again() {
    let chip = Chip::holding(&provision::tng_tls().unwrap());
    let token = Token::open(&format!("{}?clock=virtual", chip.device()).parse().unwrap()).unwrap();
    let key = token.public_key(Slot::PRIMARY_KEY).unwrap();
    let certificates = token.certificates().unwrap().clone();
    let before = token.statistics();
    assert_eq!(token.public_key(Slot::PRIMARY_KEY).unwrap(), key);
    assert_eq!(token.certificates().unwrap().device, certificates.device);
    assert_eq!((token.statistics() - before).bus.transactions, 0);
}

/// Over a line whose bytes take as long as its rate says, against the same signature of the same chip on I2C.
#[test]
fn a_signature_over_the_bridge_is_one_round_trip_and_little_later() {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
    let output = run(bench.args(["--bridge", "--json"])).succeeded();
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    for (row, (baud, goal)) in rows.iter().zip([(115_200, 15.0), (921_600, 3.0)]) {
        assert_eq!(row["baud"], baud, "{row}");
        assert!(row["samples"].as_u64() >= Some(200), "{row}");
        assert_eq!(row["round_trips"], 1, "{row}");
        assert!(row["line_bytes"].as_u64() <= Some(160), "{row}");
        let [added, wall] = ["added_worst_ms", "wall_ms"].map(|field| row[field].as_f64().unwrap());
        // Bytes on a line take time: nothing below what those of the row take, start and stop bits and all.
        let line = row["line_bytes"].as_f64().unwrap() * 10_000.0 / f64::from(baud);
        assert!(added >= 0.99 * line && added <= goal, "{row}");
        // Beside the line nothing is lost: the chip's work is nearly all of it.
        assert!(added / wall <= 1.1 * line / (wall - line), "{row}");
    }
    assert_eq!(rows.len(), 2);
}
