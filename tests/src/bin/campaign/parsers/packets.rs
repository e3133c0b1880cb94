//! Groups of bytes: commands on their way to the chip, answers on their way back, and what the emulated chip makes
//! of the commands.

use atecc::{
    Configuration,
    packet::{Packet, Response, crc16},
};
use atecc_emulator::{Bus, Chip, Clock, Eeprom, Pace, provision::Personality};
use embedded_hal::{delay::DelayNs, i2c::I2c};

use super::{
    super::Random,
    Parser,
    mutate::{mutant, pick},
};

/// Opcode, mode, Param2 and length of the data of a command as the data sheets have it, for each command and its
/// kinds.
const COMMANDS: [(u8, u8, u16, usize); 71] = [
    (0x02, 0x80, 0x0000, 0),
    (0x02, 0x00, 0x0004, 0),
    (0x02, 0x01, 0x0000, 0),
    (0x02, 0x82, 0x0040, 0),
    (0x02, 0x02, 0x0250, 0),
    (0x12, 0x82, 0x0040, 32),
    (0x12, 0x02, 0x0040, 4),
    (0x12, 0x82, 0x0018, 64),
    (0x12, 0x80, 0x0008, 32),
    (0x16, 0x00, 0x0000, 20),
    (0x16, 0x01, 0x0000, 20),
    (0x16, 0x00, 0x0080, 20),
    (0x16, 0x03, 0x0000, 32),
    (0x16, 0x23, 0x0000, 64),
    (0x16, 0x43, 0x0000, 32),
    (0x16, 0x63, 0x0000, 64),
    (0x16, 0x83, 0x0000, 32),
    (0x1b, 0x00, 0x0000, 0),
    (0x30, 0x00, 0x0000, 0),
    (0x30, 0x01, 0x0002, 0),
    (0x30, 0x02, 0x0000, 0),
    (0x30, 0x04, 0x0000, 0),
    (0x30, 0x04, 0x0003, 0),
    (0x40, 0x00, 0x0002, 0),
    (0x40, 0x04, 0x0002, 0),
    (0x40, 0x10, 0x000b, 3),
    (0x40, 0x08, 0x0002, 3),
    (0x40, 0x04, 0xffff, 0),
    (0x41, 0x80, 0x0002, 0),
    (0x41, 0xa0, 0x0002, 0),
    (0x41, 0x40, 0x0007, 0),
    (0x41, 0x00, 0x0007, 0),
    (0x45, 0x22, 0x0004, 128),
    (0x45, 0x02, 0x0004, 128),
    (0x45, 0x00, 0x000b, 64),
    (0x45, 0x20, 0x000b, 64),
    (0x45, 0x03, 0x000e, 83),
    (0x45, 0x07, 0x000e, 83),
    (0x43, 0x0c, 0x0002, 64),
    (0x43, 0x0e, 0x0002, 64),
    (0x43, 0x08, 0x0002, 64),
    (0x43, 0x04, 0x0000, 64),
    (0x47, 0x00, 0x0000, 0),
    (0x47, 0x01, 0x0040, 64),
    (0x47, 0x02, 0x0010, 16),
    (0x47, 0x03, 0x000b, 0),
    (0x47, 0x04, 0x0004, 0),
    (0x47, 0x04, 0xffff, 0),
    (0x47, 0x05, 0x0010, 16),
    (0x47, 0x06, 0x0000, 0),
    (0x47, 0x07, 0x0028, 40),
    (0x51, 0x00, 0x000a, 16),
    (0x51, 0x41, 0x000a, 16),
    (0x51, 0x03, 0x0000, 32),
    (0x56, 0x10, 0x0000, 36),
    (0x56, 0x30, 0x0000, 20),
    (0x56, 0x50, 0x0000, 20),
    (0x24, 0x00, 0x0000, 0),
    (0x24, 0x01, 0x0001, 0),
    (0x08, 0x00, 0x0004, 32),
    (0x08, 0x41, 0x0004, 32),
    (0x08, 0x06, 0x0004, 0),
    (0x28, 0x00, 0x0004, 77),
    (0x28, 0x01, 0x0004, 77),
    (0x15, 0x02, 0x0004, 0),
    (0x15, 0x03, 0x0004, 32),
    (0x1c, 0x00, 0x0009, 0),
    (0x46, 0x40, 0x0007, 68),
    (0x80, 0x03, 0x0000, 96),
    (0x77, 0x00, 0x0000, 0),
    (0x17, 0x02, 0x0000, 0),
];

/// What stands between count and checksum of the commands above, with random data.
fn bodies(random: &mut Random) -> Vec<Vec<u8>> {
    let body = |&(opcode, mode, param2, length): &(u8, u8, u16, usize)| {
        let [low, high] = u16::to_le_bytes(param2);
        let data = (0..length).map(|_| random.next() as u8);
        [opcode, mode, low, high].into_iter().chain(data).collect()
    };
    COMMANDS.iter().map(body).collect()
}

/// `body` with count and checksum, as long as they can be right.
fn group(body: &[u8]) -> Vec<u8> {
    let mut group = vec![(body.len() + 3) as u8];
    group.extend_from_slice(body);
    group.extend_from_slice(&crc16(&group));
    group
}

/// A group around a mutant, or a mutant of a group.
fn group_mutant(random: &mut Random, bodies: &[Vec<u8>]) -> Vec<u8> {
    if random.below(4) == 0 {
        let whole = group(pick::<Vec<u8>>(random, bodies));
        mutant(random, &[whole], 300)
    } else {
        group(&mutant(random, bodies, 252))
    }
}

pub(super) fn commands() -> Result<Box<dyn Parser>, String> {
    struct Commands(Vec<Vec<u8>>);

    impl Parser for Commands {
        fn input(&mut self, random: &mut Random) -> Vec<u8> {
            group_mutant(random, &self.0)
        }

        fn give(&mut self, input: &[u8]) -> Result<bool, String> {
            let Ok(packet) = Packet::parse(input) else { return Ok(false) };
            let [low, high] = packet.param2().to_le_bytes();
            let again = [&[packet.opcode(), packet.param1(), low, high][..], packet.data()].concat();
            if packet.as_bytes() == input && group(&again) == input && !format!("{packet:?}").is_empty() {
                Ok(true)
            } else {
                Err(format!("became {packet:?}"))
            }
        }
    }

    Ok(Box::new(Commands(bodies(&mut Random(1)))))
}

pub(super) fn responses() -> Result<Box<dyn Parser>, String> {
    struct Responses(Vec<Vec<u8>>);

    impl Parser for Responses {
        fn input(&mut self, random: &mut Random) -> Vec<u8> {
            let mut input = group_mutant(random, &self.0);
            // A read may be longer than the answer.
            input.resize(input.len() + random.below(4), 0xff);
            input
        }

        fn give(&mut self, input: &[u8]) -> Result<bool, String> {
            let Ok(response) = Response::parse(input) else { return Ok(false) };
            let is_whole = input.starts_with(&response.to_group());
            let status = response.status().map(|status| format!("{status} {}", status.code()));
            if is_whole && status.is_some() == (response.data().len() == 1) {
                Ok(true)
            } else {
                Err(format!("became {response:?}"))
            }
        }
    }

    let lengths = [1, 1, 1, 4, 16, 32, 35, 64, 72, 128];
    let mut random = Random(2);
    Ok(Box::new(Responses(lengths.map(|length| (0..length).map(|_| random.next() as u8).collect()).into())))
}

/// The configuration zone that the vendor's tests use: it has a slot for every rule.
const TEST_PART: &str = include_str!("../../../../vectors/vendor_test_part.hex");
/// Inputs to one chip. It keeps what they left in its memory.
const LIFE: u32 = 300;

pub(super) fn chip() -> Result<Box<dyn Parser>, String> {
    struct Chips {
        bodies: Vec<Vec<u8>>,
        eeproms: Vec<Eeprom>,
        bus: Bus,
        clock: Clock,
        address: u8,
        age: u32,
    }

    impl Parser for Chips {
        fn input(&mut self, random: &mut Random) -> Vec<u8> {
            self.age += 1;
            if self.age > LIFE {
                (self.bus, self.address) = bus(pick(random, &self.eeproms));
                self.clock = self.bus.clock();
                self.age = 1;
            }
            if self.age == 1 || random.below(8) == 0 {
                wake(&mut self.bus, &mut self.clock, self.address);
            }
            // Of the word addresses the one for commands, mostly.
            let word = if random.below(50) == 0 { random.next() as u8 } else { 0x03 };
            let mut input = vec![word];
            // Half of them good, so that the others meet a chip with something in its memory.
            input.extend(if random.below(2) == 0 {
                group(pick::<Vec<u8>>(random, &self.bodies))
            } else {
                group_mutant(random, &self.bodies)
            });
            input
        }

        fn give(&mut self, input: &[u8]) -> Result<bool, String> {
            // A chip that sleeps does not take it; then it is awake for the next one.
            if self.bus.write(self.address, input).is_err() {
                wake(&mut self.bus, &mut self.clock, self.address);
                return Ok(false);
            }
            let mut answer = [0; 160];
            let is_read = self.bus.read(self.address, &mut answer).is_ok();
            let answer = Response::parse(&answer);
            let is_done = answer.is_ok_and(|answer| answer.status().is_none_or(|status| status.code() == 0));
            Ok(is_read && is_done)
        }
    }

    let zone: Vec<u8> = TEST_PART
        .split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).map_err(|error| error.to_string()))
        .collect::<Result<_, _>>()?;
    let zone = zone.try_into().map_err(|_| "a configuration zone has 128 bytes")?;
    let mut eeproms = vec![Eeprom::new(&Configuration::from_bytes(zone))];
    for personality in Personality::ALL {
        eeproms.push(personality.make().map_err(|error| error.to_string())?);
    }
    let (bus, address) = bus(&eeproms[0]);
    let clock = bus.clock();
    Ok(Box::new(Chips { bodies: bodies(&mut Random(3)), eeproms, bus, clock, address, age: 0 }))
}

/// A bus with a chip of this content, and its address.
pub(super) fn bus(eeprom: &Eeprom) -> (Bus, u8) {
    let address = eeprom.configuration().effective_i2c_address();
    let chip = Chip::new(eeprom.clone(), Pace::Instant);
    (Bus::new(chip, Clock::new_virtual(), Bus::STANDARD_HERTZ), address)
}

/// From sleep, whatever the chip was doing.
pub(super) fn wake(bus: &mut Bus, clock: &mut Clock, address: u8) {
    let _ = bus.write(address, &[0x01]);
    let _ = bus.write(0x00, &[0x00]);
    clock.delay_us(1_500);
}
