//! Parts of sequences about elliptic-curve keys (section 5.2).

use super::{
    super::{
        chip::Memory,
        vectors::{DIGEST, PUBLIC_KEY, SIGNATURE, stored_key},
    },
    Generator, Step, send,
};

impl Generator<'_> {
    pub(super) fn sign(&mut self) -> Vec<Step> {
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

    pub(super) fn sign_internal(&mut self) -> Vec<Step> {
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

    pub(super) fn verify(&mut self) -> Vec<Step> {
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

    pub(super) fn gen_key(&mut self) -> Vec<Step> {
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

    pub(super) fn ecdh(&mut self) -> Vec<Step> {
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
        // The last two are in no table; still they must not write where nothing may.
        let modes = [0x08, 0x0c, 0x0e, 0x08, 0x0c, 0x0e, 0x08, 0x0c, 0x0e, 0x00, 0x04];
        vec![send(0x43, *self.random.pick(&modes), slot, key)]
    }

    /// FullCopy and FullStore; the boot key that makes them succeed comes by Write, where that is allowed.
    pub(super) fn secure_boot(&mut self) -> Vec<Step> {
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

    pub(super) fn priv_write(&mut self) -> Step {
        let mode = *self.random.pick(&[0x00, 0x40]);
        send(0x46, mode, self.slot_with(Memory::is_private).into(), self.random.bytes(68))
    }
}
