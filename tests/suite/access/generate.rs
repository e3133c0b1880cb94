//! Random sequences: mostly such as programs send, some slightly wrong, some nonsense.

use super::{
    chip::{Memory, slot_size},
    command::Command,
    random::Random,
    vectors::{DIGEST, PUBLIC_KEY, SIGNATURE, stored_key},
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

/// Makes something slightly wrong. Not in a new part: addresses, since what writes other values into the
/// configuration makes a chip that no sheet describes, or one with another address on the bus.
fn spoil(random: &mut Random, part: &mut [Step], is_new: bool) {
    let position = random.below(part.len());
    let Some(Step::Send(command)) = part.get_mut(position) else { return };
    // Bit 6 of SecureBoot ends its use in a way that no sheet describes.
    let mode_bits = if command.opcode == 0x80 { 6 } else { 8 };
    match random.below(6) {
        0 => command.mode ^= 1 << random.below(mode_bits),
        1 | 2 if is_new => {}
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

    fn sha(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        match self.random.below(5) {
            0 => {
                let slot = self.slot_with(|memory, slot| {
                    !memory.is_private(slot)
                        && !memory.is_public(slot)
                        && !memory.is_aes(slot)
                        && !memory.is_no_mac(slot)
                });
                steps.push(send(0x47, 0x04, slot.into(), Vec::new()));
            }
            1 => {
                steps.extend(self.some_nonce().0);
                steps.push(send(0x47, 0x04, 0xffff, Vec::new()));
            }
            2 => {}
            _ => steps.push(send(0x47, 0x00, 0, Vec::new())),
        }
        for _ in 0..self.random.below(3) {
            let length = 1 + self.random.below(64);
            steps.push(send(0x47, 0x01, length as u16, self.random.bytes(length)));
        }
        match self.random.below(4) {
            0 => steps.push(send(0x47, 0x06, 0, Vec::new())),
            1 => {}
            _ => {
                let length = self.random.below(65);
                let mode = *self.random.pick(&[0x02, 0x42, 0xc2]);
                steps.push(send(0x47, mode, length as u16, self.random.bytes(length)));
            }
        }
        steps
    }

    fn sign(&mut self) -> Vec<Step> {
        if self.random.one_in(4) {
            return self.sign_internal();
        }
        let slot = self.slot_with(Memory::may_sign_external).into();
        let buffer = self.random.one_in(2);
        let nonce = self.fixed_nonce(if buffer { 0x43 } else { 0x03 });
        let mode = if buffer { 0xa0 } else { 0x80 } | if self.random.one_in(4) { 0x40 } else { 0 };
        let sign = send(0x41, mode, slot, Vec::new());
        match self.random.below(8) {
            0 => vec![sign],
            1 => vec![nonce, self.read(), sign],
            2 => vec![nonce, sign.clone(), sign],
            _ => vec![nonce, sign],
        }
    }

    fn sign_internal(&mut self) -> Vec<Step> {
        let slot = self.slot_with(Memory::may_sign_internal).into();
        let (mut steps, _) = self.some_nonce();
        match self.random.below(4) {
            0 => steps.push(send(0x40, 0x08, self.slot_with(Memory::is_private).into(), Vec::new())),
            1 => {}
            _ => steps.push(self.gen_dig_step()),
        }
        steps.push(send(0x41, *self.random.pick(&[0x00, 0x20, 0x40, 0x60]), slot, Vec::new()));
        steps
    }

    fn verify(&mut self) -> Vec<Step> {
        match self.random.below(8) {
            0 => {
                // Validate, which would need a signature of the parent key.
                let slot = self.slot_with(|memory, slot| memory.is_public(slot) && memory.pub_info(slot));
                let mode = *self.random.pick(&[0x03, 0x07]);
                let mut data = [SIGNATURE.to_vec(), vec![0; 19]].concat();
                data[81] = mode >> 2;
                let digest = send(0x40, 0x10, slot.into(), vec![0; 3]);
                vec![self.random_nonce(), digest, send(0x45, mode, slot.into(), data)]
            }
            1..=2 => {
                let slot = self.slot_with(Memory::is_public);
                let mode = *self.random.pick(&[0x00, 0x20]);
                let nonce = self.fixed_nonce(if mode == 0 { 0x03 } else { 0x43 });
                vec![nonce, send(0x45, mode, slot.into(), SIGNATURE.to_vec())]
            }
            3 => {
                let nonces = [self.fixed_nonce(0x03), self.fixed_nonce(0x63)];
                let mode = *self.random.pick(&[0x82, 0xa2]);
                nonces.into_iter().chain([send(0x45, mode, 4, [SIGNATURE, PUBLIC_KEY].concat())]).collect()
            }
            _ => {
                let mode = *self.random.pick(&[0x02, 0x22]);
                let nonce = self.fixed_nonce(if mode == 0x02 { 0x03 } else { 0x43 });
                let mut data = [SIGNATURE, PUBLIC_KEY].concat();
                if self.random.one_in(6) {
                    let position = self.random.below(128);
                    data[position] ^= 1;
                }
                vec![nonce, send(0x45, mode, 4, data)]
            }
        }
    }

    fn gen_key(&mut self) -> Vec<Step> {
        match self.random.below(8) {
            0 => vec![send(0x40, 0x04, 0xffff, if self.random.one_in(2) { vec![0; 3] } else { Vec::new() })],
            1 => {
                let slot = self.slot_with(Memory::is_public).into();
                let (mut steps, _) = self.some_nonce();
                steps.push(send(0x40, 0x10, slot, self.random.bytes(3)));
                steps
            }
            2..=3 => {
                let slot = self.slot_with(Memory::is_private).into();
                let (mut steps, _) = self.some_nonce();
                steps.push(send(0x40, *self.random.pick(&[0x08, 0x0c]), slot, Vec::new()));
                steps
            }
            _ => {
                let slot = self.slot_with(Memory::is_private).into();
                vec![send(0x40, *self.random.pick(&[0x00, 0x04]), slot, Vec::new())]
            }
        }
    }

    fn ecdh(&mut self) -> Vec<Step> {
        let key = if self.random.one_in(12) { self.random.bytes(64) } else { PUBLIC_KEY.to_vec() };
        if self.random.one_in(3) {
            let mode = *self.random.pick(&[0x0d, 0x0f, 0x09, 0x05]);
            let slot = if mode == 0x05 {
                self.slot_with(|memory, slot| memory.is_aes(slot) && memory.pub_info(slot))
            } else {
                0
            };
            let agree = send(0x43, mode, slot.into(), key);
            if self.random.one_in(4) {
                return vec![agree];
            }
            return vec![send(0x40, 0x04, 0xffff, vec![0; 3]), agree];
        }
        let slot = self.slot_with(Memory::may_agree).into();
        vec![send(0x43, *self.random.pick(&[0x08, 0x0c, 0x0e]), slot, key)]
    }

    fn gen_dig_step(&mut self) -> Step {
        match self.random.below(10) {
            0 => send(0x15, 0x00, self.random.below(5) as u16, Vec::new()),
            1 => send(0x15, 0x01, self.random.below(3) as u16, Vec::new()),
            2 => send(0x15, 0x03, self.slot().into(), self.random.bytes(32)),
            3 => send(0x15, 0x04, self.random.below(3) as u16, Vec::new()),
            4 => send(0x15, 0x05, self.slot().into(), Vec::new()),
            5 => send(0x15, *self.random.pick(&[0x06, 0x80, 0x10]), 0, Vec::new()),
            _ => {
                let slot = self.slot_with(|memory, slot| !memory.is_private(slot));
                self.gen_dig_of(slot)
            }
        }
    }

    fn gen_dig_of(&self, slot: u8) -> Step {
        let data = if self.memory.is_no_mac(slot) { vec![0x15, 0x02, slot, 0x00] } else { Vec::new() };
        send(0x15, 0x02, slot.into(), data)
    }

    fn gen_dig(&mut self) -> Vec<Step> {
        let (mut steps, _) = self.some_nonce();
        steps.push(self.gen_dig_step());
        if self.random.one_in(3) {
            steps.push(self.gen_dig_step());
        }
        if self.random.one_in(3) {
            steps.push(send(0x30, 2, 0, Vec::new()));
        }
        steps
    }

    fn mac(&mut self) -> Vec<Step> {
        let (mut steps, source) = self.some_nonce();
        if self.random.one_in(4) {
            steps.push(self.gen_dig_step());
        }
        let serial = if self.random.one_in(2) { 0x40 } else { 0 };
        let slot = self.slot_with(|memory, slot| !memory.is_private(slot)).into();
        steps.push(match self.random.below(4) {
            0 => send(0x08, serial, slot, self.random.bytes(32)),
            1 => send(0x08, serial | 0x02 | source, 0, self.random.bytes(32)),
            _ => send(0x08, serial | 0x01 | source, slot, Vec::new()),
        });
        steps
    }

    fn check_mac(&mut self) -> Vec<Step> {
        let (mut steps, source) = self.some_nonce();
        let slot = self.slot_with(|memory, slot| !memory.is_private(slot)).into();
        let data = self.random.bytes(77);
        steps.push(match self.random.below(4) {
            0 => send(0x28, 0x00, slot, data),
            1 => send(0x28, 0x02 | source, 0, data),
            _ => send(0x28, 0x01 | source, slot, data),
        });
        steps
    }

    fn aes(&mut self) -> Vec<Step> {
        let block = (self.random.below(4) << 6) as u8;
        let decrypt = self.random.below(2) as u8;
        let data = self.random.bytes(16);
        match self.random.below(6) {
            0 => vec![send(0x51, 0x03, 0, self.random.bytes(32))],
            1 => {
                let (mut steps, _) = self.some_nonce();
                steps.push(send(0x51, decrypt, 0xffff, data));
                steps
            }
            _ => vec![send(0x51, block | decrypt, self.slot_with(Memory::is_aes).into(), data)],
        }
    }

    fn kdf(&mut self) -> Vec<Step> {
        let algorithm = self.random.below(3) as u8;
        let (mut steps, _) = self.some_nonce();
        let source = *self.random.pick(&[0, 0, 1, 2, 3]);
        if source == 3 && !self.random.one_in(4) {
            steps.push(self.fixed_nonce(0x83));
        }
        let target = *self.random.pick(&[0, 1, 2, 3, 4, 5]);
        let from = if source == 2 {
            self.slot_with(|memory, slot| {
                memory.is_aes(slot) == (algorithm == 1) && !memory.is_private(slot) && !memory.is_public(slot)
            })
        } else {
            0
        };
        let to = if target == 2 {
            self.slot_with(|memory, slot| memory.is_aes(slot) && memory.pub_info(slot))
        } else {
            0
        };
        let message = if algorithm == 1 { 16 } else { 1 + self.random.below(64) };
        let length = (message as u32) << 24;
        let details = match algorithm {
            0 => {
                length
                    | if self.random.one_in(4) && target != 1 && target != 2 && target != 3 {
                        0x100
                    } else {
                        0
                    }
                    | self.random.below(2) as u32
            }
            1 => self.random.below(2) as u32,
            _ => length | 2,
        };
        let details = if self.random.one_in(12) { details | 1 << self.random.below(24) } else { details };
        let data = [details.to_le_bytes().to_vec(), self.random.bytes(message)].concat();
        steps.push(send(
            0x56,
            algorithm << 5 | target << 2 | source,
            u16::from(to) << 8 | u16::from(from),
            data,
        ));
        steps
    }

    /// An encrypted read or write, with all that leads to it.
    fn session(&mut self) -> Vec<Step> {
        use super::chip::Writing;
        let mut steps =
            if self.random.one_in(6) { vec![self.fixed_nonce(0x03)] } else { vec![self.random_nonce()] };
        let reads = self.random.one_in(2);
        let slot = self.slot_with(|memory, slot| {
            if reads { memory.is_read_encrypted(slot) } else { memory.writing(slot) == Writing::Encrypted }
        });
        let key = match (reads, self.random.one_in(8)) {
            (_, true) => self.slot(),
            (true, _) => self.memory.read_key(slot),
            (false, _) => self.memory.write_key(slot),
        };
        if !self.random.one_in(8) {
            steps.push(self.gen_dig_of(key));
        }
        let address = self.address(slot, true);
        if reads {
            steps.push(send(0x02, 0x82, address, Vec::new()));
        } else if self.random.one_in(4) {
            steps.push(send(0x12, 0x82, address, self.random.bytes(64)));
        } else {
            let mut plain = [0; 32];
            plain.copy_from_slice(&self.random.bytes(32));
            steps.push(Step::EncryptedWrite { slot, block: 0, plain });
        }
        steps
    }

    fn derive_key(&mut self) -> Vec<Step> {
        let (mut steps, source) = self.some_nonce();
        let target = self.slot_with(Memory::is_creation_allowed);
        let crafted = self.random.one_in(2);
        steps.push(if crafted {
            Step::Derive { target }
        } else {
            send(0x1c, source, target.into(), self.random.bytes(32))
        });
        steps
    }

    /// FullCopy and FullStore; the boot key that makes them succeed comes by Write, where that is allowed.
    fn secure_boot(&mut self) -> Vec<Step> {
        let slot = u16::from(self.memory.secure_boot_key_slot());
        let mut steps = Vec::new();
        if self.random.one_in(2) {
            for (block, part) in stored_key().chunks(32).enumerate() {
                let data = [part, &vec![0; 32 - part.len()]].concat();
                steps.push(send(0x12, 0x82, (block as u16) << 8 | slot << 3, data));
            }
        }
        let copy = [DIGEST.as_slice(), &SIGNATURE].concat();
        match self.random.below(6) {
            0 => steps.extend([self.random_nonce(), send(0x80, 0x87, 0, copy)]),
            1 => steps.extend([self.random_nonce(), send(0x80, 0x86, 0, DIGEST.to_vec())]),
            2 => steps.push(send(0x80, 0x06, 0, self.random.bytes(32))),
            3 => steps.push(send(0x80, *self.random.pick(&[0x00, 0x03, 0x05, 0x16]), 0, copy)),
            _ => steps.extend([send(0x80, 0x07, 0, copy), send(0x80, 0x06, 0, DIGEST.to_vec())]),
        }
        steps
    }

    fn priv_write(&mut self) -> Step {
        let mode = *self.random.pick(&[0x00, 0x40]);
        send(0x46, mode, self.slot_with(Memory::is_private).into(), self.random.bytes(68))
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
