//! Random and damaged input to everything that reads foreign bytes. A panic ends the program.

use std::time::Instant;

use atecc::{
    Configuration, Slot,
    certificate::{Compressed, IssueDate, MICROCHIP, StoredIdentity, rebuild, to_be_signed},
    packet::{Packet, Response},
    zone::CONFIGURATION_ZONE,
};
use atecc_emulator::{Bus, Chip, Clock, Pace, provision};
use atecc_token::DeviceSpec;
use embedded_hal::{delay::DelayNs, i2c::I2c};

use super::{Random, Report};

pub(crate) fn run(end: Instant, mut random: Random) -> Report {
    let chip = Chip::new(provision::tng_tls().map_err(|error| error.to_string())?, Pace::Instant);
    let mut bus = Bus::new(chip, Clock::new_virtual(), Bus::STANDARD_HERTZ);
    let mut clock = bus.clock();
    let mut inputs = 0_u64;
    while Instant::now() < end {
        // A thousand between two looks at the clock.
        for _ in 0..1_000 {
            inputs += 1;
            let input = input(&mut random);
            parse(&input, &mut random);
            awake(&mut bus, &mut clock);
            let _ = bus.write(0x35, &input);
            let mut answer = [0; 80];
            let _ = bus.read(0x35, &mut answer);
        }
    }
    Ok(format!("{inputs} inputs, no panic"))
}

/// Something like a packet: random, or a good one with a few bytes changed.
fn input(random: &mut Random) -> Vec<u8> {
    let data = random.bytes(140);
    if random.below(4) == 0 {
        return data;
    }
    let opcodes = [0x02, 0x16, 0x1b, 0x30, 0x40, 0x41, 0x45];
    let opcode = opcodes[random.below(opcodes.len())];
    let packet = Packet::new(opcode, random.next() as u8, random.next() as u16, &[&data], 64);
    let mut input = [&[0x03], packet.as_bytes()].concat();
    for _ in 0..random.below(3) {
        let position = random.below(input.len());
        input[position] = random.next() as u8;
    }
    input
}

fn parse(input: &[u8], random: &mut Random) {
    let _ = Packet::parse(input);
    let _ = Response::parse(input);
    let _ = to_be_signed(input);
    let _ = String::from_utf8_lossy(input).parse::<DeviceSpec>();
    // Text takes longer than everything else: now and then only.
    if random.below(16) == 0 {
        let mut zone = [0; CONFIGURATION_ZONE];
        zone.iter_mut().zip(input.iter().cycle()).for_each(|(zone, byte)| *zone = *byte);
        explain(&Configuration::from_bytes(zone));
    }
    let mut slot = || {
        let mut slot = [0; 72];
        slot.iter_mut().for_each(|byte| *byte = random.next() as u8);
        // As a stored certificate has it, so that more than the first check is met.
        slot[70] = 0xa0;
        slot
    };
    let stored = StoredIdentity {
        serial_number: atecc::SerialNumber::from_bytes([0x5a; 9]),
        public_key: atecc::PublicKey::from_bytes([0x5a; 64]),
        device: slot(),
        signer_public_key: slot(),
        signer: slot(),
        eui48: None,
    };
    if let Ok(compressed) = Compressed::parse(&stored.device) {
        let dates: IssueDate = compressed.dates;
        assert_eq!(IssueDate::unpack(dates.pack()), Some(dates));
    }
    // To rebuild takes elliptic curves: now and then only.
    if random.below(1_000) == 0 {
        assert!(rebuild(&stored, b"KQp2ZkD8", &[&MICROCHIP]).is_err(), "random bytes became a certificate");
    }
}

/// Everything that a configuration zone can be asked.
fn explain(zone: &Configuration) {
    let asked = (zone.chip_mode(), zone.chip_options(), zone.secure_boot(), zone.kdf_iv());
    let _ = format!("{asked:?} {} {:?}", zone.summary(), zone.clock_divider());
    for slot in (0..16).filter_map(Slot::new) {
        let _ = format!("{} {:?}", zone.slot_summary(slot), zone.key_properties(slot));
    }
}

fn awake(bus: &mut Bus, clock: &mut Clock) {
    let _ = bus.write(0x35, &[0x01]);
    let _ = bus.write(0x00, &[0x00]);
    clock.delay_us(1_500);
}
