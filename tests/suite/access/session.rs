//! The value of TempKey where the host can know it, to send MACs that are right. It decides nothing: whether
//! they are accepted is for the rules to say.

use atecc::{
    Secret, SerialNumber, Slot,
    command::{NonceOrigin, NonceRandom},
    host::{self, TempKey},
};

use super::{chip::Memory, command::Command};

#[derive(Debug, Default)]
pub(crate) struct Session(Option<TempKey>);

impl Session {
    /// Follows an allowed command.
    pub(crate) fn follow(&mut self, command: &Command, memory: &Memory, answer: &[u8]) {
        match (command.opcode, command.mode, command.param2) {
            (0x16, 0x00, 0x0000) => {
                let input = command.data.first_chunk().map(|input| NonceRandom { input });
                self.0 = input
                    .zip(answer.first_chunk())
                    .map(|(nonce, random)| host::nonce::random(&nonce, random));
            }
            (0x15, 0x02, number @ 0..16) => {
                let key = slot(number as u8).zip(first_32(memory, number as u8));
                self.0 =
                    self.0.take().zip(key).map(|(before, (slot, key))| {
                        host::session::key(&before, slot, &key, &serial(memory))
                    });
            }
            // Commands that leave TempKey alone.
            (0x17 | 0x1b | 0x20 | 0x24 | 0x30 | 0x51 | 0x77, ..) => {}
            _ => self.0 = None,
        }
    }

    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }

    /// An encrypted write with its MAC (TFLXTLS section 5.1.10.2).
    pub(crate) fn write(&self, memory: &Memory, number: u8, block: u8, plain: [u8; 32]) -> Command {
        let sealed = self.0.as_ref().zip(slot(number)).map(|(session, slot)| {
            let (data, mac) =
                host::write::block(session, slot, block, &Secret::from_bytes(plain), &serial(memory));
            [data, mac].concat()
        });
        let address = u16::from(block) << 8 | u16::from(number) << 3;
        let proves_key = sealed.is_some();
        Command { proves_key, ..Command::new(0x12, 0xc2, address, sealed.unwrap_or_else(|| vec![0; 64])) }
    }

    /// DeriveKey with the MAC of the parent key (TNGLORA section 5.3.3).
    pub(crate) fn derive(memory: &Memory, target: u8) -> Command {
        let parent = first_32(memory, memory.write_key(target)).zip(slot(target));
        let mac = parent.map(|(parent, target)| {
            host::derive_key::authorizing_mac(&parent, target, NonceOrigin::Random, &serial(memory)).to_vec()
        });
        let proves_key = mac.is_some();
        Command { proves_key, ..Command::new(0x1c, 0x00, target.into(), mac.unwrap_or_default()) }
    }
}

fn slot(number: u8) -> Option<Slot> {
    Slot::new(number)
}

fn first_32(memory: &Memory, number: u8) -> Option<Secret<32>> {
    memory.slot(number).first_chunk().copied().map(Secret::from_bytes)
}

fn serial(memory: &Memory) -> SerialNumber {
    let mut bytes = [0; 9];
    bytes[..4].copy_from_slice(&memory.bytes[..4]);
    bytes[4..].copy_from_slice(&memory.bytes[8..13]);
    SerialNumber::from_bytes(bytes)
}
