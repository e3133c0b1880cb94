//! Read and Write (sections 5.1.6 and 5.1.10; TFLXTLS sections 5.1.6.2 and 5.1.10).

use std::ops::Range;

use super::{
    super::{
        chip::{CONFIGURATION, Memory, OTP, Writing, slot_range, slot_size},
        command::Command,
        expectation::{Answer, EXECUTION, Expectation, Findings, MISCOMPARE},
        state::{Source, State},
    },
    Change,
};

const LONG: u8 = 0x80;
const ZONE: u8 = 0x03;

/// A place in the EEPROM, decoded from an address (section 4.4).
struct Place {
    slot: Option<u8>,
    /// Where it begins in [`Memory`], and how many of its bytes exist.
    range: Range<usize>,
}

impl Place {
    fn of(findings: &mut Findings, command: &Command) -> Self {
        let long = command.mode & LONG != 0;
        let word = usize::from(command.param2 & 7);
        // A 32-byte access at an offset: the sheets say nothing.
        findings.silent(long && word != 0);
        let (slot, zone, block) = match command.mode & ZONE {
            0 => (None, 0..CONFIGURATION, Self::block(findings, command.param2 >> 3, 2, 4)),
            1 => (None, CONFIGURATION..CONFIGURATION + OTP, Self::block(findings, command.param2 >> 3, 1, 2)),
            _ => {
                findings.silent(command.param2 & 0x80 != 0);
                let slot = (command.param2 >> 3 & 0x0f) as u8;
                let (bits, blocks) = match slot {
                    0..=7 => (1, 2),
                    8 => (4, 13),
                    _ => (2, 3),
                };
                (Some(slot), slot_range(slot), Self::block(findings, command.param2 >> 8, bits, blocks))
            }
        };
        let start = zone.start + 32 * block + if long { 0 } else { 4 * word };
        // "Not valid" in tables 4-9 and 4-11.
        findings.wrong(start >= zone.end);
        let length = if long { 32 } else { 4 };
        Self { slot, range: start.min(zone.end)..(start + length).min(zone.end) }
    }

    /// A block number in `bits` bits, of which `blocks` exist; the bits above are unused.
    fn block(findings: &mut Findings, value: u16, bits: u16, blocks: u16) -> usize {
        findings.silent(value >> bits != 0);
        let block = value & ((1 << bits) - 1);
        findings.wrong(value >> bits == 0 && block >= blocks);
        usize::from(block)
    }
}

fn uses_session(command: &Command, memory: &Memory) -> Option<u8> {
    let slot = (command.param2 >> 3 & 0x0f) as u8;
    (command.mode == 0x82 && memory.is_secret(slot) && memory.is_read_encrypted(slot)).then_some(slot)
}

/// TempKey has to come from GenDig with `key` (TFLXTLS section 5.1.6.2). A random nonce is recommended there;
/// whether it is required the sheets do not tell.
fn needs_session(findings: &mut Findings, state: &State, key: u8) {
    findings.needs_temp_key(&state.temp_key);
    findings.needs_flag(&state.temp_key, state.temp_key.gen_dig && state.temp_key.key_id == key);
    findings.silent(state.temp_key.source == Source::Input);
}

pub(crate) fn read(command: &Command, memory: &Memory, state: &State) -> Expectation {
    let mut findings = Findings::default();
    findings.illegal(command.mode & !(LONG | ZONE) != 0 || command.mode & ZONE == 3);
    findings.silent(!command.data.is_empty());
    let place = Place::of(&mut findings, command);
    // Vendor's tests: OTP and data are read only once they are locked.
    findings.forbidden(command.mode & ZONE != 0 && !memory.is_data_locked());
    if let Some(slot) = place.slot {
        // ECC private keys "can never be read" (section 2.2.1.1), whatever SlotConfig says: its low bits are not
        // ReadKey there, but what the key may do.
        findings.forbidden(memory.is_private(slot));
        // As for Write: marked private, of another type.
        findings.silent(memory.is_marked_private(slot) && !memory.is_private(slot));
        let encrypted = uses_session(command, memory).is_some();
        findings.forbidden(memory.is_secret(slot) && !encrypted);
        // Neither secret nor readable: the sheets of these parts have no such slot.
        findings.silent(!memory.is_secret(slot) && memory.is_read_encrypted(slot));
        if encrypted {
            needs_session(&mut findings, state, memory.read_key(slot));
            return findings.conclude(Answer::data(32));
        }
    }
    let offset = command.mode & LONG != 0 && command.param2 & 7 != 0;
    let content = memory.bytes[place.range].to_vec();
    findings.conclude(match content.len() {
        _ if offset => Answer::data(32),
        4 | 32 if content.len() == if command.mode & LONG != 0 { 32 } else { 4 } => Answer::Exactly(content),
        // "The last block of any slot will not be 32 bytes."
        _ => Answer::Padded(content),
    })
}

pub(crate) fn after_read(command: &Command, memory: &Memory, state: &State, _: &[u8]) -> Vec<State> {
    let uses = command.mode & ZONE == 2 && uses_session(command, memory).is_some();
    vec![if uses { state.without_temp_key() } else { state.clone() }]
}

pub(crate) fn write(command: &Command, memory: &Memory, state: &State) -> Expectation {
    let mut findings = Findings::default();
    let long = command.mode & LONG != 0;
    findings.illegal(command.mode & 0x3c != 0 || command.mode & ZONE == 3);
    let place = Place::of(&mut findings, command);
    let encrypted = long && place.slot.is_some_and(|slot| is_write_encrypted(memory, slot));
    // Bit 6, "encrypted", is in no table of these parts. Microchip's library sets it where that is true.
    findings.silent(command.mode & 0x40 != 0 && !encrypted);
    let needed = if long { 32 } else { 4 };
    findings.illegal(command.data.len() < needed);
    match place.slot {
        Some(slot) => write_slot(&mut findings, command, memory, state, slot),
        None => write_zone(&mut findings, command, memory),
    }
    findings.silent(command.data.len() > if encrypted { 64 } else { needed });
    findings.conclude(Answer::Done)
}

/// The configuration and the OTP zone: nothing once locked. Before, the vendor's tools write all of the
/// configuration zone but the factory's bytes 0 to 15 and the locks in 84 to 87.
fn write_zone(findings: &mut Findings, command: &Command, memory: &Memory) {
    let long = command.mode & LONG != 0;
    if command.mode & ZONE == 0 {
        findings.forbidden(memory.is_configuration_locked());
        let word = command.param2 & 0x1f;
        // Blocks 0 and 2; from an offset on, it is open what is written.
        findings.wrong(if long { matches!(word, 0x00 | 0x10) } else { word < 4 || word == 21 });
    } else {
        findings.forbidden(memory.is_data_locked() || !memory.is_configuration_locked());
        // Of four bytes before the data zone is locked, as for slots, nothing is said.
        findings.silent(!long);
    }
}

fn write_slot(findings: &mut Findings, command: &Command, memory: &Memory, state: &State, slot: u8) {
    let long = command.mode & LONG != 0;
    findings.forbidden(memory.is_slot_locked(slot) || !memory.is_configuration_locked());
    // Vendor's tests: private keys are not written in the clear, nor four bytes before the data zone is locked.
    findings.forbidden(memory.is_private(slot));
    // Of a slot that is marked private while its type is not that of a private key, nothing is said.
    findings.silent(memory.is_marked_private(slot) && !memory.is_private(slot));
    if !memory.is_data_locked() {
        findings.forbidden(!long);
        return;
    }
    // "For secret slots only 32 byte writes are permitted."
    findings.forbidden(!long && memory.is_secret(slot));
    match memory.writing(slot) {
        Writing::Never => findings.forbidden(true),
        Writing::Always => {}
        Writing::IfInvalidated => {
            findings.forbidden(memory.validation(slot) == 0x5);
            // "Can write to slot if key is invalidated first": neither is silent.
            findings.silent(memory.validation(slot) != 0xa);
        }
        Writing::Encrypted => {
            findings.forbidden(!long);
            findings.wrong(command.data.len() < 64);
            needs_session(findings, state, memory.write_key(slot));
            // The MAC is right only if the test has made it so.
            findings.refuse(!command.proves_key, &[EXECUTION, MISCOMPARE]);
        }
    }
    // "The additional bytes need to be padded with zeros."
    let block = usize::from(command.param2 >> 8);
    let there = slot_size(slot).saturating_sub(32 * block).min(32);
    findings
        .silent(long && command.data.get(there..32).is_some_and(|rest| rest.iter().any(|byte| *byte != 0)));
}

pub(crate) fn after_write(command: &Command, memory: &Memory, state: &State, _: &[u8]) -> Vec<State> {
    let slot = (command.param2 >> 3 & 0x0f) as u8;
    let encrypted = command.mode & ZONE == 2 && is_write_encrypted(memory, slot);
    vec![if encrypted { state.without_temp_key() } else { state.clone() }]
}

fn is_write_encrypted(memory: &Memory, slot: u8) -> bool {
    memory.is_data_locked() && memory.writing(slot) == Writing::Encrypted
}

pub(crate) fn written(command: &Command, memory: &Memory, _: &[u8]) -> Vec<Change> {
    let Place { slot, range } = Place::of(&mut Findings::default(), command);
    let encrypted = slot.is_some_and(|slot| is_write_encrypted(memory, slot));
    let mut changes = vec![if command.mode & LONG != 0 && command.param2 & 7 != 0 {
        Change::Anything(from_offset(command.mode, slot, range.start))
    } else if encrypted || command.data.len() < range.len() {
        Change::Anything(range)
    } else {
        Change::Exactly(range.start, command.data[..range.len()].to_vec())
    }];
    // Writing a key that needs validation invalidates it (vendor's tests): its nibble is not what was sent.
    if let Some(slot) = slot.filter(|slot| memory.is_public(*slot) && memory.pub_info(*slot)) {
        let first = slot_range(slot).start;
        changes.push(Change::Anything(first..first + 1));
    }
    changes
}

/// Where 32 bytes from an offset in the block at `block` on end, there or in the next one, is open; that they
/// leave the factory's bytes and the locks alone is not.
fn from_offset(mode: u8, slot: Option<u8>, block: usize) -> Range<usize> {
    let (start, end) = match (slot, mode & ZONE) {
        (Some(slot), _) => (block, slot_range(slot).end),
        (None, 0) if block < 84 => (block.max(16), 84),
        (None, 0) => (block.max(88), CONFIGURATION),
        (None, _) => (block, CONFIGURATION + OTP),
    };
    start..(block + 64).clamp(start, end)
}

#[cfg(test)]
mod tests {
    use atecc_emulator::provision;

    use super::{
        super::super::{bench::image, state::TempKey},
        *,
    };

    const READ: u8 = 0x02;

    /// A locked chip whose slot 14 has this configuration.
    fn chip(slot_config: u16, key_config: u16) -> Memory {
        let mut memory =
            Memory { bytes: image(&provision::tng_tls().expect("a chip")), factory_keys: Vec::new() };
        memory.bytes[20 + 2 * 14..][..2].copy_from_slice(&slot_config.to_le_bytes());
        memory.bytes[96 + 2 * 14..][..2].copy_from_slice(&key_config.to_le_bytes());
        memory
    }

    /// What is expected of a read of 32 bytes of slot 14, after GenDig with key 4.
    fn read_of_slot_14(memory: &Memory) -> Expectation {
        let temp_key = TempKey { gen_dig: true, key_id: 4, ..TempKey::of_nonce(Source::Random, false) };
        let state = State::default().with_temp_key(temp_key);
        read(&Command::new(READ, 0x82, 0x0170, Vec::new()), memory, &state)
    }

    #[test]
    fn a_private_key_is_not_read_whatever_slot_config_says() {
        const DATA: u16 = 0x001c;
        const PRIVATE: u16 = 0x0011;
        const CLEAR: u16 = 0x0f0f;
        const ENCRYPTED: u16 = 0x0fc4;
        assert_eq!(read_of_slot_14(&chip(CLEAR, DATA)), Expectation::Allowed(Answer::Exactly(vec![0; 32])));
        assert_eq!(read_of_slot_14(&chip(ENCRYPTED, DATA)), Expectation::Allowed(Answer::data(32)));
        for slot_config in [CLEAR, ENCRYPTED] {
            let expected = read_of_slot_14(&chip(slot_config, PRIVATE));
            assert_eq!(expected, Expectation::Refused(vec![EXECUTION]));
        }
    }

    #[test]
    fn a_slot_that_is_marked_private_without_a_private_keys_type_is_open() {
        let expected = read_of_slot_14(&chip(0x0f0f, 0x001d));
        assert!(matches!(expected, Expectation::Unspecified(_)), "{expected:?}");
    }
}
