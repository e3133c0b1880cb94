//! Figures, log, and several chips.

use std::sync::{Arc, Mutex};

use atecc::packet::Packet;

use super::*;
use crate::{Pace, provision::Personality};

fn bus(personality: Personality) -> Bus {
    let chip = Chip::new(personality.make().unwrap(), Pace::Typical);
    Bus::new(chip, Clock::new_virtual(), Bus::STANDARD_HERTZ)
}

fn random() -> Vec<u8> {
    [&[0x03], Packet::new(0x1b, 0x00, 0, &[], 32).as_bytes()].concat()
}

fn wake(bus: &mut Bus) {
    assert_eq!(bus.write(0x00, &[0x00]), Err(BusError::NoAcknowledge));
    bus.clock().delay_us(1_500);
}

/// Random on the chip with this address; polls until it is done.
fn draw(bus: &mut Bus, address: u8) -> [u8; 35] {
    bus.write(address, &random()).unwrap();
    let mut answer = [0; 35];
    while bus.read(address, &mut answer).is_err() {
        bus.clock().delay_us(2_000);
    }
    answer
}

#[test]
fn the_meter_counts_what_happens_while_the_bus_runs() {
    let mut bus = bus(Personality::TngTls3);
    let meter = bus.meter();
    wake(&mut bus);
    draw(&mut bus, 0x35);
    let figures = meter.figures();
    assert_eq!((figures.wakes, figures.transactions, figures.commands), (1, 2, 1));
    assert_eq!((figures.written, figures.read), (8, 35));
    assert!((4..=8).contains(&figures.refused), "{figures}");
    assert!(figures.chip_time >= Duration::from_micros(9_600) && figures.chip_time <= figures.clock_time);
    // 10 µs per bit: 43 bytes, and for each transfer its address, start and stop.
    let transfers = 3 + u32::try_from(figures.refused).unwrap();
    assert_eq!(figures.bus_time, Duration::from_micros(10) * (9 * 43 + 11 * transfers));
    assert!(figures.bus_time + Duration::from_micros(1_500) < figures.clock_time);
}

/// A writer that can be looked into.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_log_names_commands_and_not_what_they_carry() {
    let mut bus = bus(Personality::TngTls3);
    let lines = Lines::default();
    bus.log_to(lines.clone());
    wake(&mut bus);
    let answer = draw(&mut bus, 0x35);
    bus.write(0x35, &[0x01]).unwrap();
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for expected in
        ["wake", "write 8 bytes: Random(0x00, 0x0000), Success after", "not acknowledged", "sleep"]
    {
        assert!(log.contains(expected), "{expected} is not in\n{log}");
    }
    assert!(log.lines().all(|line| line.len() < 90));
    assert!(!log.contains(&format!("{:02x}{:02x}{:02x}", answer[1], answer[2], answer[3])));
}

#[test]
fn a_wake_reaches_all_chips_and_each_answers_for_itself() {
    let mut bus = bus(Personality::TngTls3);
    bus.add(Chip::new(Personality::TflxTls.make().unwrap(), Pace::Typical));
    wake(&mut bus);
    for address in [0x35, 0x36] {
        let mut answer = [0; 4];
        bus.read(address, &mut answer).unwrap();
        assert_eq!(answer, [0x04, 0x11, 0x33, 0x43]);
    }
    // One is busy, the other one sleeps, nobody else is there.
    bus.write(0x35, &random()).unwrap();
    bus.write(0x36, &[0x01]).unwrap();
    assert!(bus.write(0x36, &random()).is_err() && bus.write(0x37, &random()).is_err());
    bus.clock().delay_ms(15);
    bus.read(0x35, &mut [0; 35]).unwrap();
}
