//! Figures, log, and several chips.

use std::sync::{Arc, Mutex};

use atecc::{Status, packet::Packet};

use super::*;
use crate::{Pace, chip::Executed, provision::Personality};

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
    assert!((3..=8).contains(&figures.refused), "{figures}");
    assert!(figures.chip_time >= Duration::from_micros(7_680) && figures.chip_time <= figures.clock_time);
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
fn the_log_has_milliseconds_however_short_a_command_is() {
    let packet = Packet::new(0x16, 0x43, 0, &[], 0);
    let executed = Executed { packet, status: Status::Success, busy: Duration::from_micros(948) };
    let event = Event::Written { address: 0x35, bytes: &[0; 40], executed: Some(&executed) };
    assert_eq!(event.to_string(), "0x35 write 40 bytes: Nonce(0x43, 0x0000), Success after 0.9 ms");
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
    bus.clock().delay_ms(18);
    bus.read(0x35, &mut [0; 35]).unwrap();
}

/// A Read of 32 bytes, written and read across the moment at which the watchdog expires, byte by byte.
#[test]
fn a_chip_that_falls_asleep_in_a_transfer_is_gone_from_the_next_byte_on() {
    let read = [&[0x03], Packet::new(0x02, 0x80, 0, &[], 32).as_bytes()].concat();
    let byte = Duration::from_micros(90);
    for heard in 0..35_u32 {
        let chip = Chip::new(Personality::TngTls3.make().unwrap(), Pace::Instant);
        let mut bus = Bus::new(chip, Clock::new_virtual(), Bus::STANDARD_HERTZ);
        wake(&mut bus);
        let end = bus.chip().listens_until();
        let address = Duration::from_micros(110);
        let wait_until = |bus: &Bus, moment: Duration| {
            let left = moment - bus.clock().now();
            bus.clock().delay_ns(u32::try_from(left.as_nanos()).unwrap());
        };
        if heard < 8 {
            wait_until(&bus, end - byte * heard - address);
            assert_eq!(bus.write(0x35, &read), Err(BusError::NoAcknowledge), "{heard}");
            assert_eq!(bus.meter().figures().commands, 0);
        } else {
            bus.write(0x35, &read).unwrap();
            wait_until(&bus, end - byte * heard - address);
            let mut answer = [0; 35];
            bus.read(0x35, &mut answer).unwrap();
            assert_eq!(answer[0], 35);
            assert!(answer[heard as usize..].iter().all(|byte| *byte == 0xff), "{heard}: {answer:?}");
        }
        assert!(bus.read(0x35, &mut [0; 4]).is_err(), "{heard}: asleep");
    }
}

#[test]
fn a_seeded_pace_is_the_same_again_and_another_from_chip_to_chip() {
    let took = |seed| {
        let chip = Chip::new(Personality::TngTls3.make().unwrap(), Pace::Seeded(seed));
        let mut bus = Bus::new(chip, Clock::new_virtual(), Bus::STANDARD_HERTZ);
        wake(&mut bus);
        draw(&mut bus, 0x35);
        draw(&mut bus, 0x35);
        bus.meter().figures().chip_time
    };
    assert_eq!(took(7), took(7));
    let times: Vec<Duration> = (0..200).map(took).collect();
    let (shortest, longest) = (times.iter().min().unwrap(), times.iter().max().unwrap());
    // Twice 12 ms, and a fifth of it and of that either way.
    assert!(*shortest >= Duration::from_micros(15_360) && *shortest < Duration::from_micros(17_500));
    assert!(*longest <= Duration::from_micros(34_560) && *longest > Duration::from_micros(31_500));
}
