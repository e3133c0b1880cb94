//! Random sequences: mostly such as programs send, some slightly wrong, some nonsense.

mod keys;
mod symmetric;

use super::{
    chip::{Memory, slot_size},
    command::Command,
    random::Random,
    vectors::DIGEST,
};

/// What happens on the bus.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Send(Command),
    /// A command whose last byte was changed on the way.
    Damaged(Command),
    /// An encrypted write of `plain` with the right MAC, if TempKey is a session that the host knows.
    EncryptedWrite {
        slot: u8,
        block: u8,
        plain: [u8; 32],
    },
    /// DeriveKey with the right MAC.
    Derive {
        target: u8,
    },
    Sleep,
    Idle,
    /// Nothing, until the watchdog has expired.
    Expire,
}

/// A sequence of about `length` steps for the chip with `memory`.
pub(crate) fn sequence(random: &mut Random, memory: &Memory, length: usize) -> Vec<Step> {
    let is_new = !memory.is_configuration_locked();
    let mut steps = Vec::new();
    while steps.len() < length {
        let mut part = if is_new {
            Generator { random, memory }.new_part()
        } else {
            Generator { random, memory }.locked_part()
        };
        if random.one_in(25) {
            spoil(random, &mut part, is_new);
        }
        steps.extend(part);
    }
    steps
}

/// Makes something slightly wrong. Not the addresses in a new part nor the value of UpdateExtra: other values in
/// the configuration make a chip that no sheet describes, or one with address 0 on the bus.
fn spoil(random: &mut Random, part: &mut [Step], is_new: bool) {
    let position = random.below(part.len());
    let Some(Step::Send(command)) = part.get_mut(position) else { return };
    // Bit 6 of SecureBoot ends its use in a way that no sheet describes.
    let mode_bits = if command.opcode == 0x80 { 6 } else { 8 };
    match random.below(6) {
        0 => command.mode ^= 1 << random.below(mode_bits),
        1 | 2 if is_new || command.opcode == 0x20 => {}
        1 => command.param2 ^= 1 << random.below(5),
        2 => command.param2 = random.below(16) as u16,
        3 => command.data.truncate(random.below(command.data.len())),
        4 => command.data.push(0),
        _ => {
            let damaged = command.clone();
            part[position] = Step::Damaged(damaged);
        }
    }
}

struct Generator<'a> {
    random: &'a mut Random,
    memory: &'a Memory,
}

fn send(opcode: u8, mode: u8, param2: u16, data: Vec<u8>) -> Step {
    Step::Send(Command::new(opcode, mode, param2, data))
}

impl Generator<'_> {
    /// For a part whose configuration and data zones are locked.
    fn locked_part(&mut self) -> Vec<Step> {
        match self.random.below(64) {
            0..=6 => vec![self.read()],
            7..=12 => vec![self.write()],
            13..=14 => vec![self.counter()],
            15..=18 => vec![self.info()],
            19 => vec![self.lock_slot()],
            20..=23 => vec![self.nonce()],
            24 => vec![send(0x1b, 0, 0, Vec::new())],
            25 => vec![send(
                0x77,
                *self.random.pick(&[0, 0x01, 0x04, 0x08, 0x10, 0x20, 0x3d, 0x40]),
                0,
                Vec::new(),
            )],
            26 => self.update_extra(),
            27..=30 => self.sha(),
            31..=33 => self.sign(),
            34 => self.verify(),
            35..=37 => self.gen_key(),
            38..=39 => self.ecdh(),
            40..=44 => self.gen_dig(),
            45..=47 => self.mac(),
            48..=49 => self.check_mac(),
            50..=52 => self.aes(),
            53..=55 => self.kdf(),
            56..=57 => self.session(),
            58 => self.derive_key(),
            59 => self.secure_boot(),
            60 => vec![self.priv_write()],
            61 => vec![Step::Sleep],
            62 => vec![if self.random.one_in(4) { Step::Expire } else { Step::Idle }],
            _ => vec![self.nonsense()],
        }
    }

    /// For a part that is not locked: what works there, and sometimes one of the locks.
    fn new_part(&mut self) -> Vec<Step> {
        match self.random.below(16) {
            0..=3 => vec![self.read()],
            4..=8 => vec![self.write()],
            9 => vec![self.info()],
            10 => vec![self.nonce()],
            11 => vec![send(0x1b, 0, 0, Vec::new())],
            12 => self.sha(),
            13 => vec![Step::Sleep],
            14 => vec![send(0x17, 0x81, 0, Vec::new())],
            _ if self.random.one_in(4) => vec![send(0x17, 0x80, 0, Vec::new())],
            _ => vec![self.counter()],
        }
    }

    fn slot(&mut self) -> u8 {
        self.random.below(16) as u8
    }

    /// Half the time one that satisfies the condition.
    fn slot_with(&mut self, good: impl Fn(&Memory, u8) -> bool) -> u8 {
        let all: Vec<u8> = (0..16).filter(|slot| good(self.memory, *slot)).collect();
        if all.is_empty() || self.random.one_in(3) { self.slot() } else { *self.random.pick(&all) }
    }

    fn address(&mut self, slot: u8, long: bool) -> u16 {
        let last = slot_size(slot).div_ceil(32);
        let block = if self.random.one_in(20) { last } else { self.random.below(last) } as u16;
        let word = if long { 0 } else { self.random.below(8) as u16 };
        block << 8 | u16::from(slot) << 3 | word
    }

    fn read(&mut self) -> Step {
        let long = self.random.one_in(2);
        let zone = *self.random.pick(&[0, 1, 2, 2, 2, 2]);
        let address = match zone {
            0 => (self.random.below(32) as u16) & if long { 0x18 } else { 0x1f },
            1 => (self.random.below(16) as u16) & if long { 0x08 } else { 0x0f },
            _ => {
                let slot = self.slot();
                self.address(slot, long)
            }
        };
        send(0x02, zone | if long { 0x80 } else { 0 }, address, Vec::new())
    }

    fn write(&mut self) -> Step {
        let long = !self.random.one_in(3);
        let zone = if self.memory.is_configuration_locked() {
            *self.random.pick(&[2, 2, 2, 2, 2, 2, 2, 0, 1])
        } else {
            *self.random.pick(&[0, 0, 2, 1])
        };
        let length = if long { 32 } else { 4 };
        let mut data = self.random.bytes(length);
        let slot = self.slot();
        let address = match zone {
            0 => (self.random.below(32) as u16) & if long { 0x18 } else { 0x1f },
            1 => (self.random.below(16) as u16) & if long { 0x08 } else { 0x0f },
            _ => self.address(slot, long),
        };
        if zone == 0 {
            // What configures a chip to something that the sheets do not describe is of no use here.
            data = self.memory.bytes[4 * usize::from(address)..][..length].to_vec();
        }
        let there = slot_size(slot).saturating_sub(32 * usize::from(address >> 8));
        if zone == 2 && long && !self.random.one_in(10) {
            data[there.min(32)..].fill(0);
        }
        send(0x12, zone | if long { 0x80 } else { 0 }, address, data)
    }

    fn counter(&mut self) -> Step {
        let mode = self.random.below(2) as u8;
        send(0x24, mode, self.random.below(2) as u16, Vec::new())
    }

    fn info(&mut self) -> Step {
        match self.random.below(8) {
            0 => send(0x30, 0, 0, Vec::new()),
            1 => send(
                0x30,
                1,
                self.slot_with(|memory, slot| memory.is_private(slot) || memory.is_public(slot)).into(),
                Vec::new(),
            ),
            2 => send(0x30, *self.random.pick(&[3, 4, 5]), 0, Vec::new()),
            _ => send(0x30, 2, 0, Vec::new()),
        }
    }

    fn lock_slot(&mut self) -> Step {
        match self.random.below(10) {
            0 => send(0x17, *self.random.pick(&[0x80, 0x81, 0x00, 0x01]), 0, Vec::new()),
            _ => send(0x17, self.slot_with(Memory::is_lockable) << 2 | 2, 0, Vec::new()),
        }
    }

    fn random_nonce(&mut self) -> Step {
        send(0x16, 0, 0, self.random.bytes(20))
    }

    fn fixed_nonce(&mut self, mode: u8) -> Step {
        let data = if self.random.one_in(4) && mode & 0x20 == 0 {
            DIGEST.to_vec()
        } else {
            self.random.bytes(if mode & 0x20 != 0 { 64 } else { 32 })
        };
        send(0x16, mode, 0, data)
    }

    fn nonce(&mut self) -> Step {
        match self.random.below(12) {
            0..=4 => self.random_nonce(),
            5 => send(0x16, 0x01, 0, self.random.bytes(20)),
            6 => send(0x16, 0x00, 0x8000, self.random.bytes(20)),
            7 => send(0x16, *self.random.pick(&[0x02, 0xa3, 0xc3, 0x13]), 0, self.random.bytes(32)),
            _ => {
                let mode = *self.random.pick(&[0x03, 0x43, 0x83, 0x23, 0x63]);
                self.fixed_nonce(mode)
            }
        }
    }

    /// Mostly a nonce of the number generator, sometimes another one or none; and Mode\[2\] that goes with it.
    fn some_nonce(&mut self) -> (Vec<Step>, u8) {
        match self.random.below(8) {
            0 => (vec![self.fixed_nonce(0x03)], 0x04),
            1 => (vec![self.fixed_nonce(0x23)], 0x04),
            2 => (Vec::new(), 0),
            3 => (vec![self.random_nonce()], 0x04),
            _ => (vec![self.random_nonce()], 0x00),
        }
    }

    fn update_extra(&mut self) -> Vec<Step> {
        let mode = self.random.below(2) as u8;
        let value = *self.random.pick(&[0x6a, 0xc0, 0xb2, 0x20]);
        let step = send(0x20, mode, value, Vec::new());
        if self.random.one_in(4) { vec![step] } else { Vec::new() }
    }

    /// Any opcode, mode and length.
    fn nonsense(&mut self) -> Step {
        let opcode = self.random.next() as u8;
        let length = self.random.below(149);
        let known = super::rules::name(opcode) != "unknown";
        let opcode = if known { 0xa5 } else { opcode };
        send(opcode, self.random.next() as u8, self.random.next() as u16, self.random.bytes(length))
    }
}
