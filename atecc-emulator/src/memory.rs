//! All that a chip remembers: the EEPROM, what sleep erases, and what only a loss of power erases.

use atecc::{Configuration, PublicKey, Slot, zone::CONFIGURATION_ZONE};

use crate::{
    Eeprom,
    command::{SlotRules, Volatile},
    eeprom,
};

/// The memories of one chip, as its commands see them.
///
/// The EEPROM changes only through [`write`](Self::write), which keeps a journal of the bytes that were there:
/// power may go in the middle of a command.
#[derive(Debug)]
pub(crate) struct Memory {
    eeprom: Eeprom,
    /// Since the command began: where a byte was written, and which one it replaced.
    journal: Vec<(usize, u8)>,
    /// What sleep erases.
    pub(crate) volatile: Volatile,
    /// What sleep keeps and a loss of power erases.
    pub(crate) latches: Latches,
    /// Public keys of private keys that are not here.
    replayed: Vec<(Slot, PublicKey)>,
}

/// The bits that survive sleep but not the loss of power.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Latches {
    /// The persistent latch, which may enable keys (KeyConfig.PersistentDisable).
    pub(crate) persistent: bool,
    /// SecureBoot was prohibited until the next power cycle.
    pub(crate) is_secure_boot_prohibited: bool,
    /// The random number generator failed its health test.
    pub(crate) is_generator_unhealthy: bool,
}

impl Memory {
    pub(crate) fn new(eeprom: Eeprom, replayed: &[(Slot, PublicKey)]) -> Self {
        Self {
            eeprom,
            journal: Vec::new(),
            volatile: Volatile::default(),
            latches: Latches::default(),
            replayed: replayed.to_vec(),
        }
    }

    pub(crate) const fn eeprom(&self) -> &Eeprom {
        &self.eeprom
    }

    pub(crate) fn configuration(&self) -> Configuration {
        self.eeprom.configuration()
    }

    /// The rules of `slot`.
    pub(crate) fn rules(&self, slot: Slot) -> SlotRules {
        SlotRules::of(&self.configuration(), slot)
    }

    /// SN\[0:8\].
    pub(crate) fn serial_number(&self) -> [u8; 9] {
        *self.configuration().serial_number().as_bytes()
    }

    /// The public key that a replica shows for `slot`, whose private key it does not have.
    pub(crate) fn replayed_key(&self, slot: Slot) -> Option<&PublicKey> {
        self.replayed.iter().find(|(replayed, _)| *replayed == slot).map(|(_, key)| key)
    }

    /// Writes into the configuration zone, from byte `start`.
    pub(crate) fn write_configuration(&mut self, start: usize, bytes: &[u8]) {
        self.write(start, bytes);
    }

    /// Writes into the OTP zone, from byte `start`.
    pub(crate) fn write_otp(&mut self, start: usize, bytes: &[u8]) {
        self.write(CONFIGURATION_ZONE + start, bytes);
    }

    /// Writes into `slot`, from byte `start`; what would lie behind its end is left out.
    pub(crate) fn write_slot(&mut self, slot: Slot, start: usize, bytes: &[u8]) {
        let room = slot.size().saturating_sub(start).min(bytes.len());
        self.write(eeprom::slot_start(slot) + start, &bytes[..room]);
    }

    /// A command begins: whatever was written until now stays.
    pub(crate) fn begin(&mut self) {
        self.journal.clear();
    }

    /// Whether anything was written since [`begin`](Self::begin).
    pub(crate) fn is_changed(&self) -> bool {
        !self.journal.is_empty()
    }

    /// Takes back all but the first `kept` bytes that were written since [`begin`](Self::begin).
    pub(crate) fn take_back(&mut self, kept: usize) {
        while self.journal.len() > kept {
            if let Some((position, byte)) = self.journal.pop() {
                self.eeprom.set(position, byte);
            }
        }
    }

    fn write(&mut self, start: usize, bytes: &[u8]) {
        for (position, &byte) in (start..).zip(bytes) {
            if let Some(before) = self.eeprom.set(position, byte) {
                self.journal.push((position, before));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision;

    #[test]
    fn what_is_taken_back_was_never_there() {
        let eeprom = provision::tng_tls().unwrap();
        let mut memory = Memory::new(eeprom.clone(), &[]);
        let slot = Slot::new(8).unwrap();
        memory.write_slot(slot, 0, &[1, 2, 3]);
        memory.write_slot(slot, 0, &[4]);
        memory.take_back(2);
        assert_eq!(memory.eeprom().slot(slot)[..3], [1, 2, 0]);
        memory.take_back(0);
        assert!(memory.eeprom() == &eeprom && !memory.is_changed());
    }

    #[test]
    fn nothing_is_written_behind_a_slot() {
        let eeprom = provision::tng_tls().unwrap();
        let mut memory = Memory::new(eeprom.clone(), &[]);
        memory.write_slot(Slot::new(6).unwrap(), 32, &[0xaa; 32]);
        assert_eq!(memory.eeprom().slot(Slot::new(6).unwrap())[32..], [0xaa; 4]);
        assert_eq!(memory.eeprom().slot(Slot::new(7).unwrap()), eeprom.slot(Slot::new(7).unwrap()));
    }
}
