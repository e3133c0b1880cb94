//! Anything at all, on every product.

use super::*;
use crate::provision::Personality;

/// xorshift64: the sequences are always the same.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, length: usize) -> std::vec::Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.next() as usize % choices.len()]
    }
}

const OPCODES: [u8; 22] = [
    0x02, 0x08, 0x12, 0x15, 0x16, 0x17, 0x1b, 0x1c, 0x20, 0x24, 0x28, 0x30, 0x40, 0x41, 0x43, 0x45, 0x46,
    0x47, 0x51, 0x56, 0x77, 0x80,
];
const LENGTHS: [usize; 16] = [0, 1, 3, 4, 16, 20, 32, 36, 64, 68, 77, 83, 96, 99, 128, 148];

/// A command that has something of a real one.
fn likely(draw: &mut Draw) -> Packet {
    let opcode = draw.one_of(&OPCODES);
    let mode = if draw.next() & 1 == 0 { draw.next() as u8 } else { draw.next() as u8 & 0xc7 };
    let param2 = match draw.next() % 4 {
        0 => draw.next() as u16,
        1 => 0xffff,
        2 => (draw.next() as u16 & 0x0f) << 3,
        _ => draw.next() as u16 & 0x0f,
    };
    let length = draw.one_of(&LENGTHS);
    let mut data = draw.bytes(length);
    if opcode == 0x56 && data.len() >= 4 && draw.next() & 1 == 0 {
        let message = data.len() as u8 - 4;
        data[..4].copy_from_slice(&[draw.next() as u8 & 3, draw.next() as u8 & 3, 0, message]);
    }
    command(opcode, mode, param2, &data)
}

fn chips() -> impl Iterator<Item = Chip> {
    Personality::ALL.into_iter().map(|personality| Chip::new(personality.make().unwrap(), Pace::Instant))
}

#[test]
fn any_bytes_get_an_answer() {
    let mut draw = Draw(0x2545_f491_4f6c_dd1d);
    for mut chip in chips() {
        for _ in 0..4_000 {
            chip.wake(Duration::ZERO);
            let length = draw.next() as usize % 170;
            let bytes = draw.bytes(length);
            chip.write(&[word_address::RESET], AFTER_WAKE);
            chip.write(&bytes, AFTER_WAKE);
            chip.read(&mut [0; 160]);
        }
    }
}

#[test]
fn any_command_gets_a_whole_answer_and_the_factory_bytes_stay() {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    for mut chip in chips() {
        let before = chip.eeprom().configuration();
        for _ in 0..4_000 {
            chip.wake(Duration::ZERO);
            if draw.next().is_multiple_of(32) {
                chip.write(&[draw.one_of(&[0x00, 0x01, 0x02])], AFTER_WAKE);
                chip.wake(Duration::ZERO);
            }
            let packet = likely(&mut draw);
            // The blank part is not locked by chance, for a locked one has less to show.
            if packet.opcode() == 0x17 && !draw.next().is_multiple_of(64) {
                continue;
            }
            chip.write(&[word_address::RESET], AFTER_WAKE);
            chip.write(&[&[word_address::COMMAND], packet.as_bytes()].concat(), AFTER_WAKE);
            let mut buffer = [0; 160];
            chip.read(&mut buffer);
            assert!(Response::parse(&buffer).is_ok(), "{packet:?}");
        }
        assert_eq!(chip.eeprom().configuration().as_bytes()[..16], before.as_bytes()[..16]);
    }
}

#[test]
fn no_sequence_reads_a_private_key_or_changes_a_permanent_slot() {
    let mut draw = Draw(0xd1b5_4a32_d192_ed03);
    let eeprom = provision::tng_tls().unwrap();
    let mut chip = Chip::new(eeprom.clone(), Pace::Instant);
    for _ in 0..10_000 {
        chip.wake(Duration::ZERO);
        let packet = likely(&mut draw);
        chip.write(&[word_address::RESET], AFTER_WAKE);
        chip.write(&[&[word_address::COMMAND], packet.as_bytes()].concat(), AFTER_WAKE);
        let mut buffer = [0; 160];
        chip.read(&mut buffer);
        let key = &eeprom.slot(Slot::PRIMARY_KEY)[4..20];
        assert!(!buffer.windows(16).any(|window| window == key), "{packet:?}");
    }
    for number in [0, 1, 5, 7, 10, 11, 12] {
        let slot = Slot::new(number).unwrap();
        assert!(chip.eeprom().slot(slot) == eeprom.slot(slot), "slot {number}");
    }
    assert_eq!(chip.eeprom().otp(), eeprom.otp());
}
