//! Parts of sequences about digests and symmetric keys (sections 5.1.8 and 5.3).

use super::{
    super::chip::{Memory, Writing},
    Generator, Step, send,
};

impl Generator<'_> {
    pub(super) fn sha(&mut self) -> Vec<Step> {
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

    pub(super) fn gen_dig_step(&mut self) -> Step {
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

    pub(super) fn gen_dig_of(&self, slot: u8) -> Step {
        let data = if self.memory.is_no_mac(slot) { vec![0x15, 0x02, slot, 0x00] } else { Vec::new() };
        send(0x15, 0x02, slot.into(), data)
    }

    pub(super) fn gen_dig(&mut self) -> Vec<Step> {
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

    pub(super) fn mac(&mut self) -> Vec<Step> {
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

    pub(super) fn check_mac(&mut self) -> Vec<Step> {
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

    pub(super) fn aes(&mut self) -> Vec<Step> {
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

    pub(super) fn kdf(&mut self) -> Vec<Step> {
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
    pub(super) fn session(&mut self) -> Vec<Step> {
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

    pub(super) fn derive_key(&mut self) -> Vec<Step> {
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
}
